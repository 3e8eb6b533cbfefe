"""The types of fields that several messages share."""

from typing import Annotated

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.types import Address, BigInteger

BigNatural = Annotated[BigInteger, Field(ge=0)]
Moment = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
KeyProof = Annotated[tuple[bytes, ...], Field(max_length=256)]
Parties = Annotated[tuple[Address, ...], Field(max_length=256)]
Relayed = Annotated[tuple[SignedMessage, ...], Field(min_length=1, max_length=256)]
