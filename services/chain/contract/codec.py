"""Between the contract's words and the project's types: calls outwards, events inwards."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.errors import ProtocolViolation
from protocol.marketplace import (
    ROLE_NUMBERS,
    SHARE_NAMES,
    Cancel,
    Cancelled,
    Close,
    Closed,
    ContractCall,
    Credited,
    Draw,
    Join,
    Joined,
    MarketplaceEvent,
    Open,
    Opened,
    RecordRound,
    Register,
    Registered,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
    Terms,
    Withdraw,
    Withdrawn,
)
from protocol.messages import ChainEvent
from protocol.records import RoundRecord
from services.chain.contract.abi import marketplace_interface
from services.chain.rpc.values import octets, quantity

_ROLE_NAMES: dict[int, Any] = {number: name for name, number in ROLE_NUMBERS.items()}


def encode_call(call: ContractCall) -> tuple[bytes, int]:
    """Call data and the wei to send with it."""
    name, arguments, value = _arguments(call)
    return marketplace_interface().functions[name].encode(*arguments), value


def _arguments(call: ContractCall) -> tuple[str, tuple[Any, ...], int]:
    match call:
        case Register():
            return "register", (ROLE_NUMBERS[call.role], call.exchange_key), 0
        case Open():
            return "open", (terms_to_words(call.terms),), call.deposit
        case RecordRound():
            signatures = call.validator_signatures
            return "recordRound", (record_to_words(call.record), call.buyer_signature, signatures), 0
        case Withdraw():
            return "withdraw", (), 0
        case Join() | Close() | Draw() | Settle() | Cancel():
            return call.call, (call.training,), 0


def terms_to_words(terms: Terms) -> tuple[Any, ...]:
    """The contract's struct, its fields in order."""
    return tuple(getattr(terms, name) for name in Terms.model_fields)


def terms_from_words(words: tuple[Any, ...]) -> Terms:
    """The inverse of `terms_to_words`."""
    return Terms(**dict(zip(Terms.model_fields, words, strict=True)))


def record_to_words(record: RoundRecord) -> tuple[Any, ...]:
    """The contract's struct, its fields in order."""
    return tuple(getattr(record, name) for name in RoundRecord.model_fields)


def record_from_words(words: tuple[Any, ...]) -> RoundRecord:
    """The inverse of `record_to_words`."""
    fields = dict(zip(RoundRecord.model_fields, words, strict=True))
    return RoundRecord(**fields | {"own": tuple(fields["own"]), "cross": tuple(fields["cross"])})


def decode_log(log: Mapping[str, Any], chain_id: int, timestamp: int) -> ChainEvent | None:
    """A log of the contract as an event; None where its topic is not in our interface.

    `timestamp` is the block's, in seconds. Raises ProtocolViolation("malformed_log") for a log of ours whose
    fields are out of range: the node, or the contract at this address, is not what we take it for.
    """
    topics = [octets(topic) for topic in log["topics"]]
    layout = marketplace_interface().events.get(topics[0]) if topics else None
    if layout is None:
        return None
    try:
        event = _EVENTS[layout.name](layout.decode(topics, octets(log["data"])))
        return ChainEvent(
            event=event,
            chain_id=chain_id,
            block_number=quantity(log["blockNumber"]),
            block_hash=octets(log["blockHash"]),
            transaction_hash=octets(log["transactionHash"]),
            log_index=quantity(log["logIndex"]),
            timestamp=timestamp,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolViolation("malformed_log", f"{layout.name}: {type(error).__name__}") from error


def _registered(fields: dict[str, Any]) -> Registered:
    return Registered(
        account=fields["account"], role=_ROLE_NAMES[fields["role"]], exchange_key=fields["exchangeKey"]
    )


def _opened(fields: dict[str, Any]) -> Opened:
    return Opened(
        training=fields["trainingId"],
        buyer=fields["buyer"],
        aggregator=fields["aggregator"],
        deposit=fields["deposit"],
        terms=terms_from_words(fields["terms"]),
    )


def _recorded(fields: dict[str, Any]) -> RoundRecorded:
    return RoundRecorded(
        training=fields["trainingId"],
        round=fields["round"],
        record=record_from_words(fields["record"]),
        mse_after=fields["mseAfter"],
        shapley=tuple(fields["shapley"]),
        pay_weights=tuple(fields["payWeights"]),
    )


def _credited(fields: dict[str, Any]) -> Credited:
    share: Any = SHARE_NAMES[fields["share"]]
    return Credited(
        training=fields["trainingId"], account=fields["account"], share=share, amount=fields["amount"]
    )


_EVENTS: dict[str, Callable[[dict[str, Any]], MarketplaceEvent]] = {
    "Registered": _registered,
    "Opened": _opened,
    "Joined": lambda f: Joined(training=f["trainingId"], owner=f["owner"], seat=f["seat"]),
    "Closed": lambda f: Closed(training=f["trainingId"], draw_block=f["drawBlock"]),
    "RolesDrawn": lambda f: RolesDrawn(
        training=f["trainingId"], trainers=f["trainers"], validators=f["validators"]
    ),
    "RoundRecorded": _recorded,
    "Settled": lambda f: Settled(
        training=f["trainingId"], improvement=f["improvement"], paid=f["paid"], refund=f["refund"]
    ),
    "Cancelled": lambda f: Cancelled(training=f["trainingId"], refund=f["refund"]),
    "Credited": _credited,
    "Withdrawn": lambda f: Withdrawn(account=f["account"], amount=f["amount"]),
}
