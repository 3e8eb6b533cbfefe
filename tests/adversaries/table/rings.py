"""Makers of a ring that cheat: shares, nonces and seeds, and what is kept from one of the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.shares import ShareWorkshop
from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, Deed, Replaced
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import changing, doubling, flipped, honestly, shift, withholding
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import Switch, without_code
from tests.support.roles.small_markets import body_of

FIRST, SECOND = "first checker", "second checker"
SHARED = "ring_shared"
SILENT = "silence is no message: the others' clocks stand against it"


def _maker(name: str, who: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return Adversary(name, who, does, "In a round", deed, late=True, **more)


def _weight(arena: Arena) -> bytes:
    """A trainer's first weight, encrypted: a checker has it from the evidence."""
    return bytes(body_of(arena.sent("proven_update")[0]).local_model.ciphertexts[0])


def _wide(arena: Arena, purpose: Purpose) -> Sequence[Replaced]:
    """A share 2^12 times wider than it may be, and than what its seed makes."""

    def widen(share: Any, workshop: ShareWorkshop) -> Any:
        first, *others = share.ciphertexts
        more = workshop.key.lift(workshop.form.bounds[0][0] << 12)
        return replace(share, ciphertexts=(first * more % workshop.key.n_squared, *others))

    return (_making(widen, purpose),)


def _reading(arena: Arena, purpose: Purpose) -> Sequence[Replaced]:
    """A share that holds a trainer's weight besides."""

    def read(share: Any, workshop: ShareWorkshop) -> Any:
        square, weight = int(workshop.key.n_squared), int.from_bytes(_weight(arena), "big")
        first, *others = share.ciphertexts
        return replace(share, ciphertexts=(first * pow(weight, 1 << 30, square) % square, *others))

    return (_making(read, purpose),)


def _making(change: Any, purpose: Purpose) -> Replaced:
    made = ShareWorkshop.make

    def make(workshop: ShareWorkshop, maker: Maker, seed: Any) -> Any:
        own = made(workshop, maker, seed)
        concerned = workshop.context.purpose is purpose and workshop.context.occasion.attempt == 1
        return replace(own, share=change(own.share, workshop)) if concerned else own

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


def _other_statement(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"statement": flipped(body.statement)} if message.envelope.attempt == 1 else {}


def _misleading(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    if message.envelope.recipient == arena.aggregator.address:
        return (message,)
    return changing("ring_committed", _other_statement)(arena, message)


def _no_seed(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"seed": None} if message.envelope.attempt == 1 else {}


def _other_seed(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
    return {"seed": flipped(body.seed)} if body.seed and message.envelope.attempt == 1 else {}


def keeping_from_the_other(type_name: str, purpose: str) -> Deed:
    """The aggregator gets it, the other checker does not: who is late then?"""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        kept = envelope.type == type_name and envelope.recipient != arena.aggregator.address
        return () if kept and body_of(message).purpose == purpose else (message,)

    return deed


MADE_AGAIN = Switch("making the share before one's own again", (Replaced(ShareWorkshop, "again", _believed),))
FOUND_BY_CHECKER = {
    "caught": ("validator: refuses, share", "aggregator: left out, false_share"),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "switch": MADE_AGAIN,
}
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


RINGS = (
    # ---- rings ----
    _maker(
        "over-wide mask, first",
        FIRST,
        "makes its mask wide enough to push the sums out of range",
        honestly,
        wrapping=wide,
        **FOUND_BY_CHECKER,
        wins=_ends,
    ),
    _maker(
        "over-wide mask, second",
        SECOND,
        "makes its mask wide enough to push the sums out of range",
        honestly,
        wrapping=wide,
        **FOUND_BY_AGGREGATOR,
        wins=_ends,
    ),
    _maker(
        "a weight in a mask, first",
        FIRST,
        "puts a trainer's weight beside its mask, to read it",
        honestly,
        wrapping=reading,
        **FOUND_BY_CHECKER,
        wins=_opened,
    ),
    _maker(
        "a weight in a mask, second",
        SECOND,
        "puts a trainer's weight beside its mask, to read it",
        honestly,
        wrapping=reading,
        **FOUND_BY_AGGREGATOR,
        wins=_opened,
    ),
    _maker(
        "a weight in the noise",
        SECOND,
        "puts a trainer's weight beside its noise",
        honestly,
        wrapping=reading_by_noise,
        **FOUND_BY_AGGREGATOR,
        wins=_measured,
    ),
    _maker(
        "noise too wide",
        FIRST,
        "moves the public error by its noise",
        honestly,
        wrapping=wide_noise,
        **FOUND_BY_CHECKER,
        wins=lambda outcome: _measured(outcome) or outcome.is_wrong,
    ),
    _maker(
        "nonce last",
        FIRST,
        "shows another nonce than it has committed to",
        changing("ring_nonce", _other_nonce),
        caught=("aggregator: bad_nonce", "validator: bad_nonce"),
        unswitched="vectors are drawn from what was committed to: another nonce draws none",
    ),
    _maker(
        "no nonce",
        FIRST,
        "commits to no nonce",
        changing(
            "ring_committed", lambda _a, b, m: {"nonce": b""} if b.nonce and m.envelope.attempt == 1 else {}
        ),
        caught=("aggregator: bad_ring_commitment", "aggregator: left out, ring_late"),
        left_out=True,
        money=Money.UNPAID,
        unswitched="without two nonces there are no vectors",
    ),
    _maker(
        "another statement",
        FIRST,
        "commits to another model than it was shown",
        changing("ring_committed", _other_statement),
        caught=("aggregator: left out, other_statement",),
        named=True,
        left_out=True,
        money=Money.UNPAID,
        unswitched="the other checker shows the aggregator what it was told",
    ),
    _maker(
        "another statement, to the other alone",
        SECOND,
        "commits to another model towards the other checker, to have that one accused",
        _misleading,
        caught=("validator: not in order, shown", "aggregator: left out, other_statement"),
        named=True,
        left_out=True,
        money=Money.UNPAID,
        unswitched="the other checker shows the aggregator what it was told",
    ),
    _maker(
        "two commitments",
        FIRST,
        "commits to another share after its first",
        doubling("ring_committed", lambda _a, body, _m: {"share": flipped(body.share)}),
        caught=("aggregator: committed_twice",),
        switch=without_code("one commitment of each maker", "committed_twice", "rounds.ring"),
        wins=lambda outcome: "aggregator: committed_twice" not in outcome.findings,
    ),
    _maker(
        "another share",
        FIRST,
        "shows another share than it has committed to",
        changing(SHARED, lambda arena, body, _m: {"share": shift(body.share, arena, 1)}),
        caught=("aggregator: bad_share", "validator: bad_share"),
        unswitched="a seed makes the share that was committed to again, and no other",
    ),
    _maker(
        "seed withheld",
        FIRST,
        "shows the next one no seed",
        changing(SHARED, _no_seed),
        caught=("validator: refuses, share", "aggregator: left out, false_share"),
        named=True,
        left_out=True,
        money=Money.UNPAID,
        unswitched="without a seed nobody signs",
    ),
    _maker(
        "wrong seed",
        SECOND,
        "shows the aggregator a seed that makes another share",
        changing(SHARED, _other_seed),
        caught=("aggregator: left out, false_share",),
        named=True,
        left_out=True,
        money=Money.UNPAID,
        unswitched="a seed makes one share",
    ),
    # ---- what is kept from the other checker alone ----
    *(
        _maker(
            f"kept from the other: {kind}, {purpose}",
            SECOND,
            f"sends its {kind} for the {purpose} to the aggregator alone",
            keeping_from_the_other(kind, purpose),
            unswitched=SILENT,
        )
        for kind, purpose in (
            ("ring_committed", "next model"),
            ("ring_nonce", "next model"),
            ("ring_shared", "next model"),
            ("ring_committed", "metric"),
            ("ring_shared", "metric"),
        )
    ),
    # ---- silence ----
    *(
        _maker(
            f"silence: {kind}",
            who,
            f"does not send its {kind}",
            withholding(kind),
            caught=caught,
            left_out=left,
            money=Money.UNPAID if left else Money.PAID,
            unswitched=SILENT,
        )
        for kind, who, caught, left in (
            ("ring_committed", FIRST, ("aggregator: left out, ring_late",), True),
            ("ring_nonce", SECOND, (), False),
            ("ring_shared", SECOND, (), False),
            ("ring_consent", FIRST, (), False),
            ("projection_request", SECOND, (), False),
            ("zero_test_shown", FIRST, (), False),
            ("zero_test_consent", SECOND, (), False),
            ("zero_test_request", FIRST, (), False),
            ("check_verdict", SECOND, (), False),
        )
    ),
)
