"""What an adversary can do with its own messages: change, keep, double, add to, or hold them for later."""

from collections.abc import Callable, Sequence
from typing import Any

from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, Deed
from tests.support.roles.small_markets import altered, body_of, resigned

Change = Callable[[Arena, Any, SignedMessage], dict[str, Any]]
"""Fields of a body as the adversary would have them."""


def honestly(_arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """What a wrapped role sends is false already."""
    return (message,)


def changing(
    type_name: str,
    change: Change,
    *,
    round_number: int = 0,
    once: bool = False,
    to_first_checker: bool = False,
) -> Deed:
    """Send a type of message with other contents (in one round, to one recipient, or to its first alone)."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if not _is_of(message, type_name, round_number) or (once and arena.memory.get(type_name)):
            return (message,)
        if to_first_checker and message.envelope.recipient != arena.checkers()[0]:
            return (message,)
        arena.memory[type_name] = message
        return (altered(arena, message, **change(arena, body_of(message), message)),)

    return deed


def last_to_answer(type_name: str) -> Callable[[Arena], Callable[[Sequence[int]], int]]:
    """Deliveries in an order in which the adversary gets messages of a type after everybody else."""

    def redraws(arena: Arena) -> Callable[[Sequence[int]], int]:
        def is_late(position: int) -> bool:
            address, item = arena.pending[position]
            signed = getattr(item, "signed", None)
            return address == arena.adversary and signed is not None and signed.envelope.type == type_name

        return lambda eligible: next((one for one in eligible if not is_late(one)), eligible[0])

    return redraws


def withholding(*types: str, round_number: int = 0) -> Deed:
    """Send nothing of these types, or of any."""

    def deed(_arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        silent = not types or message.envelope.type in types
        silent = silent and (not round_number or message.envelope.round == round_number)
        return () if silent and message.envelope.round else (message,)

    return deed


def withholding_when(condition: Callable[[Any, SignedMessage], bool], type_name: str) -> Deed:
    """Keep those of a type for whose body and envelope this holds."""

    def deed(_arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        kept = message.envelope.type == type_name and condition(body_of(message), message)
        return () if kept else (message,)

    return deed


def doubling(type_name: str, change: Change) -> Deed:
    """Send a type of message, and after it another with other contents."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != type_name:
            return (message,)
        return (message, altered(arena, message, **change(arena, body_of(message), message)))

    return deed


def adding(type_name: str, make: Callable[[Arena, SignedMessage], Sequence[SignedMessage]]) -> Deed:
    """Send more than one should, when a type of message is sent for the first time."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != type_name or arena.memory.get("added"):
            return (message,)
        arena.memory["added"] = True
        return (message, *make(arena, message))

    return deed


def elsewhere(type_name: str, **envelope: Any) -> Deed:
    """Send a type of message under another round, attempt, training or market."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        return (resigned(arena, message, **envelope),) if message.envelope.type == type_name else (message,)

    return deed


def forging(type_name: str, **envelope: Any) -> Deed:
    """What a stranger can do: another envelope around what somebody else has signed."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != type_name:
            return (message,)
        changed = message.envelope.model_copy(update={"message_id": arena.random.randbytes(16), **envelope})
        return (SignedMessage(envelope=changed, body=message.body, signature=message.signature), message)

    return deed


def _is_of(message: SignedMessage, type_name: str, round_number: int) -> bool:
    envelope = message.envelope
    return envelope.type == type_name and round_number in (0, envelope.round)


# ---- numbers ----


def shifted(arena: Arena, number: bytes, by: int) -> bytes:
    """A ciphertext of so much more than this one is of."""
    key = arena.key.public_key
    changed = int.from_bytes(number, "big") * int(key.lift(by)) % int(key.n_squared)
    return changed.to_bytes(len(number), "big")


def shift(numbers: Sequence[bytes], arena: Arena, by: int = 1, place: int = 0) -> tuple[bytes, ...]:
    """Ciphertexts, one of them shifted."""
    found = list(numbers)
    found[place] = shifted(arena, found[place], by)
    return tuple(found)


def flipped(content: bytes) -> bytes:
    """The same with its last bit changed."""
    return content[:-1] + bytes([content[-1] ^ 1])
