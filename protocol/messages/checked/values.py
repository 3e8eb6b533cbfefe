"""The types of fields that several messages of a checked round share."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.codec import pack
from protocol.crypto.commitments import ELEMENT_BYTES
from protocol.envelope import SignedMessage
from protocol.learning.moments.widths import Start
from protocol.messages.values import BigNatural
from protocol.request_sections import MAXIMUM_FEATURES
from protocol.types import (
    MAXIMUM_INTEGER_BYTES,
    Address,
    AttemptNumber,
    Digest,
    FrozenModel,
    RoundNumber,
    Seats,
    TrainingId,
    digest_of,
)

Number = Annotated[bytes, Field(max_length=MAXIMUM_INTEGER_BYTES)]
"""A ciphertext, a root or a proof's number, in the fixed length of its kind."""

Numbers = Annotated[tuple[Number, ...], Field(max_length=100_000, fail_fast=True)]
ProofNumbers = Annotated[tuple[Number, ...], Field(max_length=100_000, fail_fast=True)]
"""As `Proof.write` gives them."""

Seed = Annotated[bytes, Field(min_length=32, max_length=32)]
"""Of a share or a question, or a nonce: shown to the ones that the protocol says, and to nobody else: its
fields are hidden from repr."""

Element = Annotated[bytes, Field(min_length=ELEMENT_BYTES, max_length=ELEMENT_BYTES)]
"""A number modulo RSA-2048."""

RingPurpose = Literal["next model", "ranges", "metric"]
"""`protocol.crypto.ring.context.Purpose`, as it travels."""

StartMeasured = Literal["unmeasured", "public", "encrypted"]
"""`protocol.learning.moments.widths.Start`, as it travels."""

Evidence = Annotated[tuple[SignedMessage, ...], Field(min_length=1, max_length=256, fail_fast=True)]


class CommittedOwner(FrozenModel):
    """What an owner commits to when it joins: rows m, base h, K_1 … K_p, and that of its Gram matrix."""

    rows: Annotated[int, Field(ge=1, le=1 << 40)]
    base: BigNatural
    maps: Annotated[tuple[Element, ...], Field(min_length=1, max_length=MAXIMUM_FEATURES + 1, fail_fast=True)]
    gram: Element


class ShownOwner(FrozenModel):
    """An owner's commitments and the hash of its data card: together what its `Joined` has the digest of."""

    owner: Address
    card: Digest
    committed: CommittedOwner


class AgreedRound(FrozenModel):
    """What all members of an attempt, aggregator and buyer must mean alike before an error is opened.

    `attempt` counts from 1, `start` is how the round's start is measured, `model` the digest of x̃′,
    `transcript` that of the record. Members sign it together with the product under noise.
    """

    training: TrainingId
    round: RoundNumber
    attempt: AttemptNumber
    trainers: Seats
    validators: Seats
    start: StartMeasured
    model: Digest
    transcript: Digest

    def digest(self) -> bytes:
        """Of all of it."""
        return digest_of(b"deltaml agreed round", pack(self))


class Shown(FrozenModel):
    """The opening of a ciphertext: plaintext and n-th root."""

    plaintext: BigNatural
    root: BigNatural


class AttemptDigests(FrozenModel):
    """What two verdicts must agree in: all that an attempt at a round is about.

    `model` is the digest of x̃′, `product` of the opened check of it.
    """

    start: Digest
    updates: Annotated[tuple[Digest, ...], Field(min_length=2, max_length=256)]
    request: Digest
    answer: Digest
    model: Digest
    product: Digest


START_OF = {start.value: start for start in Start}
"""The measure of a start by its name on the wire."""
