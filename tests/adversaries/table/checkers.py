"""Checkers that cheat in what they alone do: verdicts, questions to the buyer, shares of a ring."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.shares import ShareWorkshop
from protocol.envelope import SignedMessage
from protocol.messages.checked import CheckVerdict
from protocol.messages.checked.values import AttemptDigests
from tests.adversaries.arena import Arena, Deed, Replaced
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import adding, changing, doubling, flipped, shift, withholding
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import Switch, without_code
from tests.support.roles.small_markets import body_of

FIRST, SECOND = "first checker", "second checker"
VERDICT, SHOWN, SHARED = "check_verdict", "zero_test_shown", "ring_shared"
SILENT = "silence is no message: the others' clocks stand against it"
ENDS = "a checker can always end an attempt; what it gets is the end of a training that pays it nothing more"


def _checker(name: str, who: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return Adversary(name, who, does, "In a round", deed, **more)


def honestly(_arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """What a wrapped role sends is false already."""
    return (message,)


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


def _refusing(_arena: Arena, _body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"signature": None, "refusal": "other_zero_test"}


# ---- shares ----


def _wide(arena: Arena, purpose: Purpose) -> Sequence[Replaced]:
    """A share 2^20 wider than what its seed makes."""
    return (_making(lambda arena, share: _added(arena, share, 1 << 118), arena, purpose),)


def _reading(arena: Arena, purpose: Purpose) -> Sequence[Replaced]:
    """A share that holds a trainer's weight besides."""

    def read(arena: Arena, share: Any) -> Any:
        square, weight = int(arena.key.public_key.n_squared), int.from_bytes(_weight(arena), "big")
        first, *others = share.ciphertexts
        return replace(share, ciphertexts=(first * pow(weight, 1 << 30, square) % square, *others))

    return (_making(read, arena, purpose),)


def _added(arena: Arena, share: Any, by: int) -> Any:
    first, *others = share.ciphertexts
    square = arena.key.public_key.n_squared
    changed = (first * arena.key.public_key.lift(by) % square, *others)
    return replace(share, ciphertexts=changed, plaintexts=(share.plaintexts[0] + by, *share.plaintexts[1:]))


def _making(change: Any, arena: Arena, purpose: Purpose) -> Replaced:
    made = ShareWorkshop.make

    def make(workshop: ShareWorkshop, maker: Maker, seed: Any) -> Any:
        own = made(workshop, maker, seed)
        concerned = workshop.context.purpose is purpose and workshop.context.occasion.attempt == 1
        return replace(own, share=change(arena, own.share)) if concerned else own

    return Replaced(ShareWorkshop, "make", make)


def wide(arena: Arena) -> Sequence[Replaced]:
    return _wide(arena, Purpose.NEXT_MODEL)


def wide_noise(arena: Arena) -> Sequence[Replaced]:
    return _wide(arena, Purpose.METRIC)


def reading(arena: Arena) -> Sequence[Replaced]:
    return _reading(arena, Purpose.NEXT_MODEL)


def reading_by_noise(arena: Arena) -> Sequence[Replaced]:
    return _reading(arena, Purpose.METRIC)


def _believed(workshop: ShareWorkshop, maker: Maker, ciphertexts: Any, seed: bytes) -> Any:
    share = workshop._from_seed(maker, seed)
    return replace(share, ciphertexts=tuple(ciphertexts))


def _other_nonce(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"nonce": flipped(body.nonce)} if message.envelope.attempt == 1 else {}


def _no_seed(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"seed": None} if message.envelope.attempt == 1 else {}


def _other_seed(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"seed": flipped(body.seed)} if body.seed and message.envelope.attempt == 1 else {}


MADE_AGAIN = Switch("making the share before one's own again", (Replaced(ShareWorkshop, "again", _believed),))
CONTESTED = {"caught": ("validator: refuses, share",), "switch": MADE_AGAIN}
FOUND_BY_AGGREGATOR = {
    "caught": ("aggregator: left out, false_share",),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "switch": MADE_AGAIN,
}


def _ends(outcome: Outcome) -> bool:
    return not outcome.is_whole


def _opened(outcome: Outcome) -> bool:
    return outcome.answers_at("ring_opening", 1) > 0


def _measured(outcome: Outcome) -> bool:
    return outcome.answers_at("opening", 1) > 0


FALSE_COMPLAINT = {
    "caught": ("aggregator: left out, false_complaint",),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "unswitched": "the aggregator knows what it has made and verified itself",
}
NO_SWITCH = {"unswitched": ENDS, "money": Money.REFUNDED}

CHECKERS = (
    # ---- verdicts ----
    *(
        _checker(f"false complaint: {ground}", FIRST, f"says that the {ground} is wrong", denying(ground),
                 **FALSE_COMPLAINT)
        for ground in ("start", "proof", "request")
    ),
    *(
        _checker(f"false complaint: {ground}", SECOND, f"says that its test of the {ground} failed",
                 denying(ground), caught=(f"aggregator: ended, {ground}_failed",), **NO_SWITCH)
        for ground in ("projection", "next_model")
    ),
    _checker("verdict before any test", FIRST, "says that all is in order, before it can know",
             adding("proven_metric", _early_verdict), caught=("aggregator: judged_too_early",),
             unswitched="it names the product that was opened, which nobody knows before"),
    _checker("verdict of something else", FIRST, "signs that another answer of the buyer was in order",
             changing(VERDICT, _other_digests), caught=("aggregator: other_digests",),
             left_out=True, money=Money.UNPAID,
             switch=without_code("verdicts of this attempt", "other_digests", "aggregator.checked.checking"),
             wins=_ends),
    _checker("two verdicts", FIRST, "says the opposite after its verdict",
             doubling(VERDICT, lambda _a, _b, _m: {"in_order": False, "ground": "start", "digests": None}),
             caught=("aggregator: judged_twice",),
             switch=without_code("one verdict of each checker", "judged_twice", "aggregator.checked.checking"),
             wins=lambda outcome: bool(outcome.left_out)),
    # ---- questions ----
    _checker("is a weight zero?", FIRST, "shows the other one a weight in place of its test",
             changing(SHOWN, _is_it_zero), caught=("validator: refuses, other_zero_test",),
             **NO_SWITCH),
    _checker("is a weight zero, unsigned", FIRST, "asks the buyer for a weight under a signature of its test",
             changing("zero_test_request", _is_it_zero), caught=("buyer: not_countersigned",),
             switch=without_code("countersigning", "not_countersigned", "buyer.checked.checks"),
             wins=lambda outcome: "buyer: not_countersigned" not in outcome.findings
             and outcome.answers("zero_test_result") > 1),
    _checker("another question", FIRST, "asks about other numbers than its seed gives",
             changing("projection_request", _another_question),
             caught=("validator: wrong_evidence",), unswitched="the seeds must make it again"),
    _checker("wrong seeds", SECOND, "shows seeds that make another question",
             changing(SHOWN, lambda _a, body, _m: {"question_seed": flipped(body.question_seed)}),
             caught=("validator: refuses, other_request",), **NO_SWITCH),
    _checker("two questions", FIRST, "asks the buyer a second question",
             doubling("projection_request", _another_question), caught=("buyer: asked_twice",),
             switch=without_code("one question of each checker", "asked_twice", "buyer.checked.checks"),
             wins=lambda outcome: outcome.answers("projection_answer") > 2),
    _checker("false refusal", SECOND, "does not sign the other one's honest test, and says that it is another",
             changing("zero_test_consent", _refusing), caught=("validator: not in order, projection",),
             **NO_SWITCH),
    _checker("false signature", SECOND, "signs something else than the other one's test",
             changing("zero_test_consent", lambda _a, b, _m: {"signature": flipped(b.signature)}),
             caught=("validator: bad_consent",), unswitched="the buyer looks at the signature once more"),
    # ---- rings ----
    _checker("over-wide mask, first", FIRST, "makes its mask wide enough to push the sums out of range", honestly,
             wrapping=wide, **CONTESTED, wins=_ends),
    _checker("over-wide mask, second", SECOND, "makes its mask wide enough to push the sums out of range",
             honestly, wrapping=wide, **FOUND_BY_AGGREGATOR, wins=_ends),
    _checker("a weight in a mask, first", FIRST, "puts a trainer's weight beside its mask, to read it", honestly,
             wrapping=reading, **CONTESTED, wins=_opened),
    _checker("a weight in a mask, second", SECOND, "puts a trainer's weight beside its mask, to read it",
             honestly, wrapping=reading, **FOUND_BY_AGGREGATOR, wins=_opened),
    _checker("a weight in the noise", SECOND, "puts a trainer's weight beside its noise", honestly,
             wrapping=reading_by_noise, **FOUND_BY_AGGREGATOR, wins=_measured),
    _checker("noise too wide", FIRST, "moves the public error by its noise", honestly,
             wrapping=wide_noise, **CONTESTED, wins=lambda outcome: _measured(outcome) or outcome.is_wrong),
    _checker("nonce last", FIRST, "shows another nonce than it has committed to",
             changing("ring_nonce", _other_nonce),
             caught=("aggregator: bad_nonce", "aggregator: left out, ring_late"),
             left_out=True, money=Money.UNPAID,
             unswitched="vectors are drawn from what was committed to: another nonce draws none"),
    _checker("no nonce", FIRST, "commits to no nonce", changing("ring_committed", lambda _a, b, m:
             {"nonce": b""} if b.nonce and m.envelope.attempt == 1 else {}),
             caught=("aggregator: bad_ring_commitment", "aggregator: left out, ring_late"),
             left_out=True, money=Money.UNPAID, unswitched="without two nonces there are no vectors"),
    _checker("two commitments", FIRST, "commits to another share after its first",
             doubling("ring_committed", lambda _a, body, _m: {"share": flipped(body.share)}),
             caught=("aggregator: committed_twice",),
             switch=without_code("one commitment of each maker", "committed_twice", "checked.ring"),
             wins=lambda outcome: "aggregator: committed_twice" not in outcome.findings),
    _checker("another share", FIRST, "shows another share than it has committed to",
             changing(SHARED, lambda arena, body, _m: {"share": shift(body.share, arena, 1)}),
             caught=("aggregator: bad_share", "aggregator: left out, ring_late"),
             left_out=True, money=Money.UNPAID,
             unswitched="a seed makes the share that was committed to again, and no other"),
    _checker("seed withheld", FIRST, "shows the next one no seed", changing(SHARED, _no_seed),
             caught=("validator: bad_share",), unswitched="without a seed nobody signs"),
    _checker("wrong seed", SECOND, "shows the aggregator a seed that makes another share",
             changing(SHARED, _other_seed), caught=("aggregator: left out, false_share",), named=True,
             left_out=True, money=Money.UNPAID, unswitched="a seed makes one share"),
    # ---- silence ----
    *(
        _checker(f"silence: {kind}", who, f"does not send its {kind}",
                 withholding(kind), caught=caught, left_out=left, money=Money.UNPAID if left else Money.PAID,
                 unswitched=SILENT)
        for kind, who, caught, left in (
            ("ring_committed", FIRST, ("aggregator: left out, ring_late",), True),
            ("ring_nonce", SECOND, ("aggregator: left out, ring_late",), True),
            ("ring_shared", SECOND, ("aggregator: left out, ring_late",), True),
            ("ring_consent", FIRST, (), False),
            ("projection_request", SECOND, (), False),
            ("zero_test_shown", FIRST, (), False),
            ("zero_test_consent", SECOND, (), False),
            ("zero_test_request", FIRST, (), False),
            ("check_verdict", SECOND, (), False),
        )
    ),
)
