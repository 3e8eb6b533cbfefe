"""The few value types every message, state and contract call is made of."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from eth_hash.auto import keccak
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
)
from pydantic_core import CoreSchema

ZERO_ADDRESS = "0x" + "0" * 40


class Together:
    """Marks a sequence within a sequence: a validator admits no more items in all of them together."""

    def __init__(self, most: int) -> None:
        """`most` is counted once for a message, in place of each sequence's own bound."""
        self.most = most

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tells `messages.limits`."""
        schema: Any = handler(source)
        return {**schema, "metadata": {**schema.get("metadata", {}), "together": self.most}}


class FrozenModel(BaseModel):
    """An immutable value; unknown fields and loose conversions are refused, whoever sent it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


MAXIMUM_INTEGER_BYTES = 2049
"""Of a BigInteger on the wire: the square of the longest Paillier modulus (8192 bits), and its sign."""


def _integer_from_bytes(value: object) -> object:
    if isinstance(value, bytes) and len(value) > MAXIMUM_INTEGER_BYTES:
        # Arithmetic on it would take more than linear time.
        raise ValueError(f"an integer of {len(value)} bytes; at most {MAXIMUM_INTEGER_BYTES}")
    return int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else value


def _integer_to_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _plain_integer(value: object) -> object:
    return int(value) if type(value).__name__ == "mpz" else value  # type: ignore[call-overload]


Address = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$", max_length=42)]
"""An Ethereum address in lower case: the identity of a party on the bus, on the chain and on the console."""

ZERO_ADDRESS = "0x" + "0" * 40
"""Nobody's."""

Digest = Annotated[bytes, Field(min_length=32, max_length=32)]
MessageId = Annotated[bytes, Field(min_length=16, max_length=16)]
ExchangeKey = Annotated[bytes, Field(min_length=32, max_length=32)]
"""An X25519 public key."""

EcdsaSignature = Annotated[bytes, Field(min_length=65, max_length=65)]
"""r ‖ s ‖ v with v = 27 or 28 and a low s."""

TrainingId = Annotated[int, Field(ge=0, lt=1 << 63)]
RoundNumber = Annotated[int, Field(ge=0, le=10_000)]
AttemptNumber = Annotated[int, Field(ge=0, le=1_000)]


class RoundAttempt(NamedTuple):
    """Which round of a training, and which attempt at it; later ones compare greater."""

    round: int
    attempt: int


Seats = Annotated[
    int,
    Field(ge=0, lt=1 << 256),
    PlainSerializer(_integer_to_bytes, return_type=bytes, when_used="unless-none"),
    BeforeValidator(_integer_from_bytes),
]
"""A set of seats as bits, seat 0 the lowest."""

BigInteger = Annotated[
    int,
    BeforeValidator(_plain_integer),
    BeforeValidator(_integer_from_bytes),
    PlainSerializer(_integer_to_bytes, return_type=bytes, when_used="unless-none"),
]
"""An integer of any size; msgpack stops at 64 bits, so it travels as two's complement bytes, big-endian."""


def one_line(value: str) -> str:
    """The text itself; raises ValueError for one that is not printable on one line."""
    if not value.isprintable():
        raise ValueError("must be printable text on one line")
    return value


Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", max_length=64)]
"""The stable snake_case name of a reason."""

Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]

FreeText = Annotated[str, Field(max_length=500), AfterValidator(one_line)]
"""What a person writes for people; may be empty."""


def repeated(texts: Iterable[str]) -> str | None:
    """The first, by the alphabet, of those that come twice; None where there is none."""
    return min((text for text, count in Counter(texts).items() if count > 1), default=None)


def digest_of(*parts: bytes) -> bytes:
    """Keccak-256 of the parts, each preceded by its length, so that no two lists share a digest."""
    return keccak(b"".join(len(part).to_bytes(8, "big") + part for part in parts))


def seats_of(mask: int) -> list[int]:
    """The seats in a mask, in seat order."""
    return [seat for seat in range(mask.bit_length()) if mask >> seat & 1]


def mask_of(seats: list[int]) -> int:
    """The mask with these seats' bits set."""
    return sum(1 << seat for seat in set(seats))
