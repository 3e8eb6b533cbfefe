"""Checkers that cheat in what they alone do: verdicts, questions to the buyer, shares of a ring."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from protocol.messages.rounds import CheckVerdict
from protocol.messages.rounds.values import AttemptDigests
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import adding, changing, doubling, flipped, shift
from tests.adversaries.switches import without_code
from tests.support.roles.small_markets import body_of

FIRST, SECOND = "first checker", "second checker"
VERDICT, SHOWN, SHARED = "check_verdict", "zero_test_shown", "ring_shared"
SILENT = "silence is no message: the others' clocks stand against it"


def _checker(name: str, who: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return Adversary(name, who, does, "In a round", deed, late=True, **more)


# ---- verdicts ----


def denying(ground: str) -> Deed:
    """In place of its evidence, a complaint to everybody."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != "proven_metric" or message.envelope.attempt > 1:
            return (message,)
        sender, verdict = arena.parties[message.envelope.sender], CheckVerdict(in_order=False, ground=ground)
        others = (one for one in (arena.aggregator, *arena.validators()) if one is not sender)
        return tuple(arena.message(sender, one, verdict, round_number=1, attempt=1) for one in others)

    return deed


def _early_verdict(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    digest = b"\x01" * 32
    digests = AttemptDigests(
        start=digest, updates=(digest,) * 3, request=digest, answer=digest, model=digest, product=digest
    )
    verdict = CheckVerdict(in_order=True, digests=digests, projection=digest)
    sender = arena.parties[message.envelope.sender]
    return (arena.message(sender, arena.aggregator, verdict, round_number=1, attempt=1),)


def _other_digests(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"digests": body.digests.model_copy(update={"answer": flipped(body.digests.answer)})}


# ---- questions ----


def _weight(arena: Arena) -> bytes:
    """A trainer's first weight, encrypted: a checker has it from the evidence."""
    return bytes(body_of(arena.sent("proven_update")[0]).local_model.ciphertexts[0])


def _is_it_zero(arena: Arena, _body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"zero": _weight(arena)}


def _another_question(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"masked": shift(body.masked, arena, 1 << 20)}


def refusing(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """In place of its signature, the other one's question as if it had to be refused."""
    if message.envelope.type != "zero_test_consent" or message.envelope.attempt > 1:
        return (message,)
    sender, asker = arena.parties[message.envelope.sender], message.envelope.recipient
    shown = next(one for one in arena.sent(SHOWN) if one.envelope.sender == asker)
    verdict = CheckVerdict(in_order=False, ground="question", evidence=(shown,))
    others = (one for one in (arena.aggregator, *arena.validators()) if one is not sender)
    return tuple(arena.message(sender, one, verdict, round_number=1, attempt=1) for one in others)


def proof_denied(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """In place of its verdict, the buyer's proof as if it were none."""
    envelope = message.envelope
    if envelope.type != VERDICT or envelope.attempt > 1:
        return (message,)
    told = [
        next(one for one in arena.sent(kind) if one.envelope.recipient == envelope.sender)
        for kind in ("zero_test_result", "zero_test_consent")
    ]
    verdict = CheckVerdict(in_order=False, ground="projection", evidence=tuple(told))
    recipient = arena.parties[envelope.recipient]
    sender = arena.parties[envelope.sender]
    return (arena.message(sender, recipient, verdict, round_number=1, attempt=1),)


FALSE_COMPLAINT = {
    "caught": ("aggregator: left out, false_complaint",),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "unswitched": "the aggregator knows what it made and verified itself, and wants to see the rest",
}
ENDED = "aggregator: ended, too_few_validators"
OF_TWO = {
    "pair": True,
    "named": True,
    "money": Money.REFUNDED,
    "unswitched": "with one of two validators the training ends, and the notice of that names it",
}
NAMED = {
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "unswitched": "a signed question shows to anybody whether its seeds make it",
}

CHECKERS = (
    # ---- verdicts ----
    *(
        _checker(
            f"false complaint: {ground}",
            FIRST,
            f"says that the {ground} is wrong",
            denying(ground),
            **FALSE_COMPLAINT,
        )
        for ground in ("start", "proof", "request", "shown")
    ),
    *(
        _checker(
            f"false complaint: {ground}",
            SECOND,
            f"says that its test of the {ground} failed",
            denying(ground),
            **FALSE_COMPLAINT,
        )
        for ground in ("projection", "next_model")
    ),
    _checker(
        "verdict before any test",
        FIRST,
        "says that all is in order, before it can know",
        adding("proven_metric", _early_verdict),
        caught=("aggregator: judged_too_early",),
        unswitched="it names the product that was opened, which nobody knows before",
    ),
    _checker(
        "verdict of something else",
        FIRST,
        "signs that another answer of the buyer was in order",
        changing(VERDICT, _other_digests),
        caught=("aggregator: other_digests",),
        switch=without_code("verdicts of this attempt", "other_digests", "aggregator.rounds.checking"),
        wins=lambda outcome: not outcome.is_whole,
    ),
    _checker(
        "two verdicts",
        FIRST,
        "says the opposite after its verdict",
        doubling(VERDICT, lambda _a, _b, _m: {"in_order": False, "ground": "start", "digests": None}),
        caught=("aggregator: judged_twice",),
        switch=without_code("one verdict of each checker", "judged_twice", "aggregator.rounds.checking"),
        wins=lambda outcome: bool(outcome.left_out),
    ),
    # ---- questions ----
    _checker(
        "is a weight zero?",
        FIRST,
        "shows the other one a weight in place of its test",
        changing(SHOWN, _is_it_zero),
        caught=("validator: not in order, question", "aggregator: left out, false_question"),
        **NAMED,
    ),
    _checker(
        "is a weight zero, unsigned",
        FIRST,
        "asks the buyer for a weight under a signature of its test",
        changing("zero_test_request", _is_it_zero),
        caught=("buyer: not_countersigned",),
        switch=without_code("countersigning", "not_countersigned", "buyer.rounds.checks"),
        wins=lambda outcome: (
            "buyer: not_countersigned" not in outcome.findings and outcome.answers("zero_test_result") > 1
        ),
    ),
    _checker(
        "another question",
        FIRST,
        "asks about other numbers than its seed gives",
        changing("projection_request", _another_question),
        unswitched="it has nothing to show for it, and others check next",
    ),
    _checker(
        "wrong seeds",
        SECOND,
        "shows seeds that make another question",
        changing(SHOWN, lambda _a, body, _m: {"question_seed": flipped(body.question_seed)}),
        caught=("validator: not in order, question", "aggregator: left out, false_question"),
        **NAMED,
    ),
    _checker(
        "two questions",
        FIRST,
        "asks the buyer a second question",
        doubling("projection_request", _another_question),
        caught=("buyer: asked_twice",),
        switch=without_code("one question of each checker", "asked_twice", "buyer.rounds.checks"),
        wins=lambda outcome: outcome.answers("projection_answer") > 2,
    ),
    _checker(
        "false refusal",
        SECOND,
        "does not sign the other one's honest test, and says that it is another",
        refusing,
        caught=("aggregator: left out, false_refusal",),
        **NAMED,
    ),
    _checker(
        "false signed test",
        SECOND,
        "signs the other one's test, and says that it was another",
        changing("zero_test_consent", lambda arena, body, _m: {"zero": _weight(arena)}),
        caught=("validator: bad_consent",),
        unswitched="the attempt waits for a signature, and others check next",
    ),
    _checker(
        "proof denied",
        SECOND,
        "says that the buyer's proof is none",
        proof_denied,
        caught=("aggregator: left out, false_complaint",),
        **NAMED,
    ),
    # ---- of two validators, which check every attempt ----
    *(
        _checker(f"{name}, of two", who, does, deed, caught=(*caught, ENDED), **OF_TWO)
        for name, who, does, deed, caught in (
            (
                "is a weight zero?",
                FIRST,
                "shows the other one a weight in place of its test",
                changing(SHOWN, _is_it_zero),
                ("validator: not in order, question",),
            ),
            ("false refusal", SECOND, "does not sign the other one's honest test", refusing, ()),
            ("proof denied", SECOND, "says that the buyer's proof is none", proof_denied, ()),
            ("false complaint", FIRST, "says that the start is wrong", denying("start"), ()),
        )
    ),
    _checker(
        "false signature",
        SECOND,
        "signs something else than the other one's test",
        changing("zero_test_consent", lambda _a, b, _m: {"signature": flipped(b.signature)}),
        caught=("validator: bad_signature",),
        unswitched="the buyer looks at the signature once more",
    ),
)
