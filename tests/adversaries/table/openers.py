"""Buyers that cheat when they open a round's errors: falsely, twice, to some alone, or not at all."""

from collections.abc import Callable, Sequence
from typing import Any

from protocol.crypto.cipher import Opening
from protocol.envelope import SignedMessage
from protocol.messages import OpeningRefused
from protocol.roles.buyer.rounds import opening
from tests.adversaries.arena import Arena, Deed, Replaced
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import changing, flipped, honestly
from tests.adversaries.switches import answering

SILENT = "silence is no message: the others' clocks stand against it"
PROVEN_OPENINGS = answering("openings with proof", True, "protocol.roles.shared.openings:verify_openings")
NOT_JUDGED = "what only the buyer can show is not judged: the training ends, and it has no model"


def _opener(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return Adversary(name, "buyer", does, "In a round", deed, late=True, **{"money": Money.REFUNDED, **more})


def _other_record(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"record": body.record.model_copy(update={"mse_before": body.record.mse_before + 10**15})}


def opening_falsely(arena: Arena) -> Sequence[Replaced]:
    """One error a thousandth larger, in plaintext and record alike."""
    opened = opening.open_ciphertexts

    def open_others(private: Any, numbers: Any) -> list[Opening]:
        return [Opening(one.plaintext + (36 << 262), one.root) for one in opened(private, numbers)]

    return (Replaced(opening, "open_ciphertexts", open_others),)


def finding_implausible(arena: Arena) -> Sequence[Replaced]:
    return (Replaced(opening, "record_of", lambda *_a, **_k: None),)


def refusing(to: Callable[[Arena, str], bool], *, first: bool = False) -> Deed:
    """Errors are implausible to these recipients, in place of the opening or before it."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        if envelope.type != "opening" or not to(arena, envelope.recipient):
            return (message,)
        at = {"round_number": envelope.round, "attempt": envelope.attempt}
        said = arena.message(arena.buyer, arena.parties[envelope.recipient], OpeningRefused(), **at)
        return (said, message) if first else (said,)

    return deed


def _a_member(arena: Arena, recipient: str) -> bool:
    return recipient != arena.aggregator.address


def _not_a_member(arena: Arena, recipient: str) -> bool:
    return recipient == arena.aggregator.address


def _anybody(_arena: Arena, _recipient: str) -> bool:
    return True


def not_to_the_aggregator(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    to = message.envelope.type, message.envelope.recipient
    return () if to == ("opening", arena.aggregator.address) else (message,)


_ENDED = ("aggregator: ended, buyer_silent",)

OPENERS = (
    _opener(
        "false opening",
        "opens an error falsely, and records it so",
        honestly,
        wrapping=opening_falsely,
        caught=("aggregator: bad_opening", "validator: bad_opening", *_ENDED),
        named=True,
        bond="false_opening",
        switch=PROVEN_OPENINGS,
        wins=lambda outcome: outcome.is_wrong,
    ),
    _opener(
        "other record",
        "opens truly, and records another error",
        changing("opening", _other_record),
        caught=("aggregator: wrong_record", "validator: wrong_record", *_ENDED),
        named=True,
        unswitched="the chain wants more than half of the drawn validators' signatures",
    ),
    _opener(
        "record unsigned",
        "signs its record falsely",
        changing("opening", lambda _a, body, _m: {"signature": flipped(body.signature)}),
        caught=_ENDED,
        named=True,
        unswitched="the contract looks at the signature too",
    ),
    _opener(
        "implausible",
        "says that plausible errors are not",
        honestly,
        wrapping=finding_implausible,
        caught=("aggregator: ended, implausible",),
        unswitched=NOT_JUDGED,
    ),
    _opener(
        "opening kept from the aggregator",
        "opens to the members alone",
        not_to_the_aggregator,
        caught=_ENDED,
        named=True,
        money=Money.PAID,
        unswitched=SILENT,
    ),
    _opener(
        "refused to the aggregator",
        "opens to the members, and says to the aggregator that errors are implausible",
        refusing(_not_a_member),
        caught=("aggregator: ended, ranges_late",),
        money=Money.PAID,
        unswitched="members record what they have signed",
    ),
    _opener(
        "refused to the members",
        "opens to the aggregator, and says to the members that errors are implausible",
        refusing(_a_member),
        caught=("aggregator: ended, too_few_signatures",),
        unswitched=NOT_JUDGED,
    ),
    _opener(
        "refused, then opened",
        "says that plausible errors are not, and opens them then",
        refusing(_anybody, first=True),
        caught=("aggregator: attempt_out_of_order", *_ENDED),
        named=True,
        unswitched="an honest buyer says one of both, and the aggregator goes by the first",
    ),
)
