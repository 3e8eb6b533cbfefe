"""Validators that are no checkers: their error is that of their committed rows, or they are out."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from protocol.messages.rounds import CheckVerdict, ProjectionRequest
from tests.adversaries.arena import Arena, Replaced
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import (
    adding,
    changing,
    doubling,
    flipped,
    honestly,
    last_to_answer,
    shift,
    withholding,
)
from tests.adversaries.switches import answering, both, without_code
from tests.support.roles.small_markets import body_of

METRIC = "proven_metric"
METRIC_PROOFS = answering(
    "the proofs of metrics", [], "protocol.crypto.proofs.validator:MetricProofs.unproven"
)
PARTS = answering(
    "the error that is negative, of which members' parts are opened",
    None,
    "protocol.roles.buyer.rounds.opening:negative_error",
)
SILENT = "silence is no message: the others' clocks stand against it"


def _validator(name: str, does: str, deed: Any, **more: Any) -> Adversary:
    section = more.pop("section", "In a round")
    return Adversary(name, "validator", does, section, deed, late=section == "In a round", **more)


def moved(by: int) -> Any:
    """One sum shifted."""
    return lambda arena, body, _message: {"values": shift(body.values, arena, by)}


def _other_proof(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    *others, last = body.proof
    return {"proof": (*others, flipped(last))}


def _copied(arena: Arena, _body: Any, message: SignedMessage) -> dict[str, Any]:
    theirs = next(
        body_of(one) for one in arena.sent(METRIC) if one.envelope.sender != message.envelope.sender
    )
    return {"values": theirs.values, "proof": theirs.proof}


def _more_rows(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"committed": body.committed.model_copy(update={"rows": 40})}


def _asking(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """A checker's question by somebody who is none: any weight, under a mask of its own."""
    asked = body_of(arena.sent("moment_request")[0]).masked[:1]
    question = ProjectionRequest(masked=asked)
    sender = arena.parties[message.envelope.sender]
    return (arena.message(sender, arena.buyer, question, round_number=1, attempt=1),)


def _judging(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    sender = arena.parties[message.envelope.sender]
    verdict = CheckVerdict(in_order=False, ground="start")
    return (arena.message(sender, arena.aggregator, verdict, round_number=1, attempt=1),)


def careless(_arena: Arena) -> Sequence[Replaced]:
    """It does not mind that its metric is not what it has sent."""
    return without_code("", "own_metric_changed", "owner.rounds.metric").replaced


UNPROVEN = {
    "wrapping": careless,
    "caught": ("aggregator: left out, unproven_metric",),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "switch": METRIC_PROOFS,
    "wins": lambda outcome: outcome.is_whole and outcome.is_wrong,
}
_PASSES = {**UNPROVEN, "wins": lambda outcome: outcome.is_whole and not outcome.named}

VALIDATORS = (
    _validator("other proof", "changes the last bit of its proof", changing(METRIC, _other_proof), **_PASSES),
    _validator(
        "other error",
        "adds a thousandth to the first sum of squares",
        changing(METRIC, moved(1 << 264)),
        **UNPROVEN,
    ),
    _validator(
        "last digit",
        "adds the least to a sum: a bit of its choice in the public error",
        changing(METRIC, moved(1)),
        **_PASSES,
    ),
    _validator(
        "above the slots",
        "adds at the top of its plaintext, a channel of hundreds of bits",
        changing(METRIC, moved(1 << 1015)),
        **{**UNPROVEN, "wins": lambda outcome: not outcome.named and not outcome.is_whole},
    ),
    _validator(
        "copied metric",
        "sends another's metric, proof and all",
        changing(METRIC, _copied),
        redraws=last_to_answer("round_evidence"),
        **_PASSES,
    ),
    _validator(
        "more rows",
        "says that it has forty rows, joined with twelve",
        changing("checked_ready", _more_rows),
        section="Before a round",
        caught=("aggregator: wrong_commitment", "aggregator: left out, no_row_count"),
        left_out=True,
        money=Money.UNPAID,
        switch=without_code("commitments on the chain", "wrong_commitment", "rounds.started"),
        wins=lambda outcome: outcome.is_wrong or not outcome.left_out,
    ),
    _validator(
        "silence",
        "sends nothing",
        withholding(),
        caught=("aggregator: left out, metric_late",),
        left_out=True,
        money=Money.UNPAID,
        unswitched=SILENT,
    ),
    _validator(
        "other evidence",
        "measures, and says that it was shown something else",
        changing(METRIC, lambda _a, body, _m: {"evidence_digest": flipped(body.evidence_digest)}),
        wrapping=careless,
        caught=("aggregator: other_evidence", "aggregator: left out, metric_late"),
        left_out=True,
        money=Money.UNPAID,
        switch=both(
            "the evidence's digest",
            without_code("", "other_evidence", "aggregator.rounds.checking"),
            without_code("", "other_evidence", "owner.rounds.metric"),
        ),
        wins=lambda outcome: not outcome.left_out,
    ),
    _validator(
        "two metrics",
        "sends a second one after the first",
        doubling(METRIC, moved(1 << 264)),
        caught=("aggregator: measured_twice",),
        switch=without_code("one metric of each member", "measured_twice", "aggregator.rounds.checking"),
        crashes=True,
    ),
    _validator(
        "consent withheld",
        "does not sign the product",
        withholding("metric_consent"),
        caught=("aggregator: left out, consent_late",),
        left_out=True,
        money=Money.UNPAID,
        unswitched=SILENT,
    ),
    _validator(
        "false consent",
        "signs something else",
        changing("metric_consent", lambda _a, body, _m: {"signature": flipped(body.signature)}),
        caught=("aggregator: left out, consent_late",),
        left_out=True,
        money=Money.UNPAID,
        unswitched="the buyer looks at every signature once more",
    ),
    _validator(
        "record unsigned",
        "does not sign the round's record",
        withholding("round_signature"),
        unswitched="more than half of the drawn ones suffice",
    ),
    _validator(
        "a checker's question",
        "asks the buyer for products as only a checker may",
        adding(METRIC, _asking),
        caught=("buyer: not_a_checker",),
        switch=without_code("who checks", "not_a_checker", "buyer.rounds.checks"),
        wins=lambda outcome: outcome.answers("projection_answer") > 2,
    ),
    _validator(
        "a checker's verdict",
        "says that the attempt is not in order, though it does not check",
        adding(METRIC, _judging),
        caught=("aggregator: not_a_checker",),
        switch=without_code("who judges", "not_a_checker", "aggregator.rounds.checking"),
        wins=lambda outcome: bool(outcome.left_out) or not outcome.is_whole,
    ),
    Adversary(
        "indefinite matrix",
        "validator",
        "commits to a matrix that is no sum of squares, with which an honest trainer's error is negative",
        "In a round",
        honestly,
        committed="indefinitely",
        rounds=2,
        caught=("aggregator: ended, indefinite_matrix",),
        named=True,
        money=Money.REFUNDED,
        switch=PARTS,
        wins=lambda outcome: outcome.arena.adversary not in outcome.named and not outcome.is_whole,
    ),
)
