"""Between the contract's words and the project's types: calls outwards, events inwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from protocol import marketplace
from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords, SignedOpening
from protocol.errors import ProtocolViolation
from protocol.marketplace import FAULT_NAMES, ROLE_NUMBERS, SHARE_NAMES, ContractCall
from protocol.messages import ChainEvent
from protocol.records import RoundRecord
from protocol.terms import ADMISSION_NAMES, NATIVE, Terms, Token
from protocol.types import ZERO_ADDRESS
from services.chain.contract.abi import decode_event, encode_function_call, event_name, snake_case
from services.chain.rpc.values import octets, quantity

ROLE_NAMES = {number: name for name, number in ROLE_NUMBERS.items()}

_SENDER = ZERO_ADDRESS
"""Stands for the sender itself where the contract pays a credit out."""


def encode_call(call: ContractCall) -> tuple[bytes, int]:
    """Call data and the wei to send with it.

    Raises TypeError for an accusation that takes more than one call: see `encode_steps`.
    """
    token, amount = taken_by(call)
    first, *words = call.call.split("_")
    name = first + "".join(word.capitalize() for word in words)
    return encode_function_call(name, *_arguments(call)), amount if token == NATIVE else 0


def taken_by(call: ContractCall) -> tuple[Token, int]:
    """What the contract takes with a call, in smallest units of which token."""
    match call:
        case marketplace.Open():
            return call.terms.token, call.deposit + call.terms.buyer_bond
        case marketplace.Join() | marketplace.Close():
            return call.token, call.bond
        case _:
            return NATIVE, 0


def encode_steps(call: AccuseOfFalseOpening, done: int, steps: int) -> bytes:
    """Call data that have the contract take so many steps of its check, after those that are done."""
    opening = to_words(call.opening)
    return encode_function_call(
        "accuseOfFalseOpening", opening, call.signature, call.opening.power_after(done), steps
    )


def _arguments(call: ContractCall) -> tuple[Any, ...]:
    arguments: tuple[Any, ...]
    match call:
        case marketplace.Register():
            arguments = ROLE_NUMBERS[call.role], call.exchange_key
        case marketplace.Open():
            arguments = to_words(call.terms), call.deposit
        case marketplace.Join():
            signatures = call.aggregator_signature, call.buyer_signature
            arguments = call.training, call.commitment, call.nonce_digest, *signatures
        case marketplace.Reveal():
            arguments = call.training, call.nonce
        case marketplace.RecordRound():
            arguments = to_words(call.record), call.buyer_signature, call.validator_signatures
        case AccuseOfTwoRecords():
            records = (call.first, call.first_signature), (call.second, call.second_signature)
            pairs = ((to_words(record), signature) for record, signature in records)
            arguments = *(word for pair in pairs for word in pair), address_bytes(call.account)
        case AccuseOfFalseOpening():
            raise TypeError("an opening is checked in steps")
        case marketplace.Withdraw():
            arguments = address_bytes(call.token), address_bytes(call.to or _SENDER)
        case _:
            arguments = (call.training,)
    return arguments


def to_words(struct: Terms | RoundRecord | SignedOpening) -> tuple[Any, ...]:
    """The contract's struct, its fields in order; addresses as bytes, who admits owners as a number."""
    return tuple(_word(name, getattr(struct, name)) for name in type(struct).model_fields)


def _word(name: str, value: Any) -> Any:
    if name == "admission":
        return ADMISSION_NAMES.index(value)
    return address_bytes(value) if isinstance(value, str) else value


def terms_of(words: Sequence[Any]) -> Terms:
    """The terms that the contract tells as words, in order.

    Raises ValidationError or LookupError for what no contract of ours tells.
    """
    fields = dict(zip(Terms.model_fields, words, strict=True))
    return Terms(**{**fields, "admission": ADMISSION_NAMES[fields["admission"]]})


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address: as text, web3.py takes it with a checksum alone."""
    return bytes.fromhex(address[2:])


def from_web3(value: Any) -> Any:
    """A decoded value as our types want it: addresses in lower case, tuples, fields named in snake case."""
    match value:
        case str():
            return value.lower()
        case list() | tuple():
            return tuple(map(from_web3, value))
        case Mapping():
            names = {"trainingId": "training"}
            return {names.get(name, snake_case(name)): from_web3(field) for name, field in value.items()}
        case _:
            return value


def decode_log(log: Mapping[str, Any], chain_id: int, timestamp: int) -> ChainEvent | None:
    """A log of the contract as an event; None where its topic is not in our interface.

    `timestamp` is the block's, in seconds. Raises ProtocolViolation("malformed_log") for a log of ours whose
    fields are out of range: the node, or the contract at this address, is not what we take it for. Raises
    ChainUnavailable for a field that JSON-RPC does not write so: that is no answer of a node.
    """
    try:
        name = event_name(log)
    except (LookupError, TypeError) as error:
        raise ProtocolViolation("malformed_log", f"topics: {type(error).__name__}") from error
    if name is None:
        return None
    try:
        return ChainEvent(
            event=_event_fields(name, decode_event(name, log)),
            chain_id=chain_id,
            block_number=quantity(log["blockNumber"]),
            block_hash=octets(log["blockHash"]),
            transaction_hash=octets(log["transactionHash"]),
            log_index=quantity(log["logIndex"]),
            timestamp=timestamp,
        )
    except (ValueError, LookupError, TypeError) as error:
        raise ProtocolViolation("malformed_log", f"{name}: {type(error).__name__}") from error


def _event_fields(name: str, arguments: Mapping[str, Any]) -> Any:
    """What MarketplaceEvent is validated from."""
    fields = from_web3(arguments) | {"event": name}
    if "role" in fields:
        fields["role"] = ROLE_NAMES[fields["role"]]
    if "share" in fields:
        fields["share"] = SHARE_NAMES[fields["share"]]
    if "fault" in fields:
        fields["fault"] = FAULT_NAMES[fields["fault"]]
    if "terms" in fields:
        fields["terms"]["admission"] = ADMISSION_NAMES[fields["terms"]["admission"]]
    return fields
