"""What the chain says of a training, as facts for people: every confirmed event with its transaction."""

from typing import Any

from protocol.marketplace import Opened, RoundRecorded, Withdrawn, training_of
from protocol.messages import ChainEvent
from protocol.roles.engine import facts
from protocol.terms import NATIVE, Token
from services.store import Store

_LEFT_OUT = {"own", "cross", "transcript_digest", "terms", "exchange_key", "record"}
"""Long and of no use to people, or taken apart."""


def record_key(training: int | None) -> str:
    """The facts' key of a training's events; None is for those of the party's own account."""
    return "chain:account" if training is None else f"chain:{training}"


def place_of(event: ChainEvent, address: str, store: Store) -> str | None:
    """Where an event is remembered: with a training that the store knows, or with the own account."""
    training = training_of(event.event)
    if training:
        return record_key(training) if store.key_of(training) is not None else None
    own = isinstance(event.event, Withdrawn) and event.event.account == address
    return record_key(None) if own else None


def record_of(event: ChainEvent) -> tuple[str, dict[str, Any]]:
    """The fact: the event's name, its place on the chain and its fields; integers as decimal text."""
    fields = dict(event.event)
    if isinstance(event.event, RoundRecorded):
        fields |= dict(event.event.record)
    if isinstance(event.event, Opened):
        terms = event.event.terms
        fields |= {"request_hash": terms.request_hash, "token": terms.token}
        bonds = ("owner_bond", "aggregator_bond", "buyer_bond")
        fields |= {name: amount for name in bonds if (amount := getattr(terms, name))}
    return facts.EVENTS[event.event.event].pair(
        **{
            name: _plain(value)
            for name, value in fields.items()
            if name not in _LEFT_OUT and value is not None
        },
        block=event.block_number,
        block_hash=f"0x{event.block_hash.hex()}",
        transaction=f"0x{event.transaction_hash.hex()}",
        log=event.log_index,
        at=event.timestamp,
    )


def token_of(store: Store, training: int | None) -> Token:
    """What a training pays in, as the chain has confirmed it; the chain's own coin before that."""
    noted = [] if training is None else store.facts(record_key(training))
    return next((data.get("token", NATIVE) for name, data, _at in noted if name == "Opened"), NATIVE)


def _plain(value: object) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    assert isinstance(value, tuple)
    return [_plain(item) for item in value]
