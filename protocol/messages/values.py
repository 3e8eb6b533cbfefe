"""The types of fields that several messages share."""

from typing import Annotated

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.request_sections import MAXIMUM_OWNERS
from protocol.types import MAXIMUM_INTEGER_BYTES, Address, BigInteger, Digest

BigNatural = Annotated[BigInteger, Field(ge=0)]
Moment = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
KeyProof = Annotated[
    tuple[Annotated[bytes, Field(max_length=MAXIMUM_INTEGER_BYTES)], ...],
    Field(max_length=256, fail_fast=True, repr=False),
]
Parties = Annotated[tuple[Address, ...], Field(max_length=MAXIMUM_OWNERS, fail_fast=True)]
KeptHead = Digest | None
"""The last link of what the sender had kept of the training before the step that the message is of.

Whoever has the message has the sender's signature under all of that: it cannot put another past in its place.
None of a sender that keeps nothing."""

Relayed = Annotated[tuple[SignedMessage, ...], Field(min_length=1, max_length=MAXIMUM_OWNERS, fail_fast=True)]
