"""Aggregators that cheat: they see everything encrypted, and show only what others can check."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from protocol.messages.rounds import RangesAsked, ZeroTestEvidenceRequest
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import adding, changing, doubling, flipped, honestly, shift, withholding
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import answering, both, without_code
from tests.adversaries.table.aggregator_deeds import (
    blinded_model,
    duals_forgotten,
    old_model,
    other_dual,
    other_masks,
    other_model,
    other_request,
    other_start,
)
from tests.adversaries.table.rings import MADE_AGAIN, reading, wide
from tests.support.roles.small_markets import body_of

EVIDENCE, NOISE = "round_evidence", "shown_noise"
REQUEST_AGAIN = answering(
    "making the request again", [], "protocol.roles.owner.rounds.evidence:request_claims"
)
ROOTS = answering("roots of the next model", [], "protocol.roles.owner.rounds.evidence:subtraction_claims")
DUALS = answering("making duals again", True, "protocol.roles.owner.rounds.evidence:_are_rescaled")
SUMS = answering(
    "random sums of the next model", [], "protocol.roles.owner.rounds.next_model:vectors_out_of_range"
)


def _aggregator(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    section = more.pop("section", "In a round")
    return Adversary(name, "aggregator", does, section, deed, **{"money": Money.REFUNDED, **more})


def _later(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return _aggregator(name, does, deed, late=True, **more)


def _buyer_looks_at_fault(outcome: Outcome) -> bool:
    return "validator: not in order, projection" in outcome.findings


def _ranges_asked(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    body, checker = RangesAsked(complaint=body_of(message).verdicts[0]), arena.checkers()[0]
    return (arena.message(arena.aggregator, arena.parties[checker], body, round_number=1, attempt=1),)


def _evidence_asked(arena: Arena, _message: SignedMessage) -> Sequence[SignedMessage]:
    body = ZeroTestEvidenceRequest(checker=arena.checkers()[0])
    return (arena.message(arena.aggregator, arena.buyer, body, round_number=1, attempt=1),)


def _fewer(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"members": body.members[:-1]}


def _single(arena: Arena, _body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"product": body_of(arena.sent("proven_metric")[0]).values}


def _boasting(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    first, *others = body.owners
    more = first.model_copy(update={"committed": first.committed.model_copy(update={"rows": 40})})
    return {"owners": (more, *others)}


def _without_first(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    nothing = (1).to_bytes(len(body.shares[0][0]), "big")
    return {"shares": (tuple(nothing for _ in body.shares[0]), *body.shares[1:])}


def _noisier(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"shares": (shift(body.shares[0], arena, 1), *body.shares[1:])}


def _model_moved(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    numbers = shift(body.model.ciphertexts, arena, 1 << 60)
    return {"model": body.model.model_copy(update={"ciphertexts": numbers})}


def forgetting(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """In the first round one validator hears nothing; in the second it is back among the members."""
    one, envelope = arena.validators()[0], message.envelope
    if envelope.type != EVIDENCE or envelope.round == 1:
        return () if (envelope.type, envelope.recipient) == (EVIDENCE, one.address) else (message,)
    return changing(EVIDENCE, lambda _a, body, _m: {"members": (one.address, *body.members)})(arena, message)


def ignoring(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """One validator is shown nothing."""
    shown = message.envelope.type, message.envelope.recipient
    return () if shown == (EVIDENCE, arena.validators()[0].address) else (message,)


AGGREGATORS = (
    _aggregator(
        "other request",
        "asks the buyer about other numbers than the updates",
        honestly,
        wrapping=other_request,
        caught=("validator: not in order, request",),
        named=True,
        switch=REQUEST_AGAIN,
        wins=_buyer_looks_at_fault,
    ),
    _later(
        "other masks shown",
        "shows other masks, so that the buyer's products look wrong",
        changing(EVIDENCE, other_masks),
        caught=("validator: not in order, request",),
        named=True,
        switch=REQUEST_AGAIN,
        wins=_buyer_looks_at_fault,
    ),
    _later(
        "other next model",
        "moves one weight of the mean by 2^-4",
        honestly,
        wrapping=other_model,
        caught=("validator: not in order, subtraction",),
        named=True,
        switch=both("roots and random sums of the next model", ROOTS, SUMS),
        wins=lambda outcome: outcome.is_whole,
    ),
    _aggregator(
        "other dual",
        "moves one weight of what one trainer carries into the next round",
        honestly,
        wrapping=other_dual,
        carries=True,
        rounds=2,
        caught=("validator: not in order, subtraction",),
        named=True,
        switch=both("making duals again, and random sums of them", DUALS, SUMS),
        wins=lambda outcome: outcome.is_whole and outcome.is_wrong,
    ),
    _aggregator(
        "duals forgotten",
        "sends all trainers the mean in place of what they carry",
        honestly,
        wrapping=duals_forgotten,
        carries=True,
        rounds=2,
        caught=("validator: not in order, proof",),
        named=True,
        money=Money.EARLY,
        unswitched="an update names the model that it is of, and members make that model themselves",
    ),
    _later(
        "other roots",
        "shows roots that are not the next model's",
        changing(EVIDENCE, lambda _a, body, _m: {"model_roots": body.model_roots[::-1]}),
        caught=("validator: not in order, subtraction",),
        named=True,
        unswitched="random sums of the next model stand behind it",
    ),
    _later(
        "ranges for nothing",
        "asks for trainers' ranges where the buyer has said nothing against the attempt",
        adding("shown_metrics", _ranges_asked),
        caught=("validator: not_denied",),
        money=Money.PAID,
        unswitched="the buyer opens none either",
    ),
    _later(
        "a test for nothing",
        "asks what a test is that the buyer has proven to be zero",
        adding("shown_metrics", _evidence_asked),
        caught=("buyer: not_denied",),
        money=Money.PAID,
        unswitched="the buyer keeps no test that it has not denied",
    ),
    _aggregator(
        "old model again",
        "hands the first round's model out as the second one's",
        honestly,
        wrapping=old_model,
        rounds=2,
        caught=("validator: model_of_an_earlier_round",),
        money=Money.EARLY,
        unswitched="random sums of the next model stand behind it",
    ),
    _aggregator(
        "other start",
        "begins with a model of its own",
        honestly,
        wrapping=other_start,
        caught=("trainer: wrong_start_model",),
        unswitched="members and buyer look for the public start as well",
    ),
    _aggregator(
        "two models for a round",
        "sends trainers a second model, to compare what they make of both",
        doubling("encrypted_model", _model_moved),
        caught=("trainer: second_model_for_round",),
        money=Money.PAID,
        unswitched="the stored answer is sent again, whatever is asked",
    ),
    _aggregator(
        "other commitments",
        "says that an owner has committed to more rows",
        changing("checked_started", _boasting),
        caught=("trainer: wrong_commitment", "buyer: wrong_commitment"),
        section="Before a round",
        unswitched="buyer and owners each look at the chain",
    ),
    _later(
        "members unnamed",
        "leaves a member out without naming it",
        changing(EVIDENCE, _fewer),
        caught=("validator: wrong_members",),
        unswitched="buyer and members each count them",
    ),
    _aggregator(
        "members unnamed, to the buyer",
        "announces fewer members to the buyer",
        changing("attempt_announced", _fewer),
        caught=("buyer: wrong_members",),
        unswitched="buyer and members each count them",
    ),
    _aggregator(
        "brought back",
        "brings a member back that it has left out",
        forgetting,
        rounds=2,
        caught=("validator: wrong_members",),
        money=Money.EARLY,
        unswitched="buyer and members each count them",
    ),
    _later(
        "left out without cause",
        "shows one validator nothing, and calls it late",
        ignoring,
        money=Money.PAID,
        unswitched="whom it calls late is the aggregator's word",
    ),
    _later(
        "attempt replayed",
        "shows an attempt again, to have it measured and asked about once more",
        doubling(EVIDENCE, lambda _a, _b, _m: {}),
        caught=("validator: attempt_out_of_order",),
        money=Money.PAID,
        switch=both(
            "each attempt once",
            *(
                without_code("", "attempt_out_of_order", "owner.rounds.evidence", function=function)
                for function in ("require", "require_attempt")
            ),
        ),
        wins=lambda outcome: outcome.answers("proven_metric") > 3,
    ),
    _later(
        "equivocation",
        "shows one checker the next model under other randomness",
        changing(EVIDENCE, blinded_model, once=True, to_first_checker=True),
        caught=("validator: not in order, shown",),
        named=True,
        money=Money.PAID,
        unswitched="metrics and rings name what was shown",
    ),
    _later(
        "another statement",
        "commits towards one checker to another model than it has shown",
        changing("ring_committed", lambda _a, b, _m: {"statement": flipped(b.statement)}, once=True),
        caught=("validator: not in order, shown",),
        named=True,
        money=Money.PAID,
        unswitched="what it has shown and what it commits to are both signed",
    ),
    _aggregator(
        "second request",
        "asks the buyer twice in one attempt",
        doubling("moment_request", lambda arena, body, _m: {"masked": shift(body.masked, arena)}),
        caught=("buyer: asked_twice",),
        money=Money.PAID,
        switch=both(
            "one exchange for each attempt",
            without_code("", "asked_twice", "buyer.rounds.exchanges"),
            answering("", None, "protocol.roles.buyer.rounds.exchanges:_require_next_exchange"),
        ),
        wins=lambda outcome: outcome.answers("moment_answer") > 1,
    ),
    _aggregator(
        "start unmeasured",
        "does not ask for the error of the first start",
        changing("moment_request", lambda _a, _b, _m: {"start": "unmeasured"}),
        caught=("buyer: wrong_start_measurement",),
        unswitched="members look for the start in the evidence as well",
    ),
    _later(
        "one member's error",
        "has the buyer open one member's sum alone",
        changing("metric_opening_request", _single),
        caught=("buyer: not_agreed",),
        switch=without_code("all members' signatures", "not_agreed", "buyer.rounds.opening"),
        wins=lambda outcome: outcome.answers("opening") + outcome.answers("opening_refused") > 0,
    ),
    _later(
        "second opening",
        "asks for a second opening of a round",
        doubling("metric_opening_request", _single),
        caught=("buyer: already_opened",),
        money=Money.PAID,
        unswitched="once it is opened the round is over for the buyer",
    ),
    _later(
        "metric left out",
        "does not show one member's error to the others",
        changing("shown_metrics", lambda _a, body, _m: {"metrics": body.metrics[:-1]}),
        caught=("validator: too_few_metrics",),
        unswitched="members look for one of each by its sender too",
    ),
    _later(
        "one verdict twice",
        "shows one checker's verdict in the other one's place",
        changing("shown_metrics", lambda _a, body, _m: {"verdicts": (body.verdicts[0],) * 2}),
        caught=("validator: wrong_evidence",),
        switch=both("verdicts of both checkers", without_code("", "wrong_evidence", "owner.rounds.metric")),
        wins=lambda outcome: outcome.is_whole,
    ),
    _later(
        "noise left out",
        "shows no noise of its own",
        changing(NOISE, _without_first),
        caught=("validator: bad_share",),
        unswitched="the buyer wants both checkers' signatures",
    ),
    _later(
        "second noise",
        "has another noise signed after the first",
        doubling(NOISE, _noisier),
        caught=("validator: second_noise",),
        money=Money.PAID,
        unswitched="the stored signature is sent again, whatever is asked",
    ),
    _later(
        "over-wide mask",
        "makes its mask wide enough to push the sums out of range",
        honestly,
        wrapping=wide,
        caught=("validator: refuses, share",),
        named=True,
        money=Money.PAID,
        switch=MADE_AGAIN,
        wins=lambda outcome: not outcome.is_whole,
    ),
    _later(
        "a weight in its mask",
        "puts a trainer's weight beside its mask",
        honestly,
        wrapping=reading,
        caught=("validator: refuses, share",),
        named=True,
        money=Money.PAID,
        switch=MADE_AGAIN,
        wins=lambda outcome: outcome.answers_at("ring_opening", 1) > 0,
    ),
    _later(
        "other sums",
        "has the buyer open other sums than were signed",
        changing("ring_opening_request", lambda arena, body, _m: {"product": shift(body.product, arena)}),
        caught=("buyer: not_agreed",),
        unswitched="checkers verify openings of what they have signed",
    ),
    _aggregator(
        "silence", "sends nothing more", withholding(), unswitched="the chain's clock ends the training"
    ),
)
