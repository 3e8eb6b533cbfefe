"""Whoever signs two records of one round, in a training in which everybody has deposited a bond."""

from typing import Any

from protocol.envelope import SignedMessage
from protocol.signatures import sign_digest
from tests.adversaries.arena import Arena
from tests.adversaries.declaration import Adversary
from tests.adversaries.deeds import doubling
from tests.adversaries.switches import answering, both
from tests.support.roles.pure_contract import MARKET

_DIGEST = b"\1" * 32
TWO_RECORDS = both(
    "two records of one round are compared",
    answering("by owners", None, "protocol.roles.owner.recording:second_record"),
    answering("by the aggregator", None, "protocol.roles.aggregator.rounds.agreeing:second_record"),
)


def _second(arena: Arena, record: Any) -> tuple[Any, bytes]:
    """Another record of the round, with the adversary's signature."""
    other = record.model_copy(update={"transcript_digest": _DIGEST})
    return other, sign_digest(arena.parties[arena.adversary].signing_key, other.digest(MARKET))


def _by_the_buyer(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    record, signature = _second(arena, body.record)
    return {"record": record, "signature": signature}


def _by_a_validator(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    record, signature = _second(arena, body.record)
    return {"record": record, "signature": signature, "buyer_signature": None}


SIGNERS = (
    Adversary(
        "second record",
        "buyer",
        "signs two records of a round",
        "In a round",
        doubling("opening", _by_the_buyer),
        caught=("aggregator: second_record", "validator: second_record"),
        bond="two_records",
        named=True,
        late=True,
        switch=TWO_RECORDS,
        wins=lambda outcome: not outcome.lost_bonds,
    ),
    Adversary(
        "second record",
        "validator",
        "signs two records of a round",
        "In a round",
        doubling("round_signature", _by_a_validator),
        caught=("buyer: second_record", "validator: second_record"),
        bond="two_records",
        named=True,
        late=True,
        unswitched="whoever holds one signature compares it with each that comes",
    ),
)
