"""The types of fields that several messages of a checked round share."""

from typing import Annotated, Literal

from gmpy2 import mpz
from pydantic import Field

from protocol.crypto.commitment_group import ELEMENT_BYTES
from protocol.crypto.commitments import OwnerCommitments
from protocol.envelope import SignedMessage
from protocol.learning.moments.widths import Start
from protocol.messages.values import BigNatural
from protocol.request_sections import MAXIMUM_FEATURES
from protocol.types import MAXIMUM_INTEGER_BYTES, Address, Digest, FrozenModel, Seats

Number = Annotated[bytes, Field(max_length=MAXIMUM_INTEGER_BYTES)]
"""A ciphertext, a root or a proof's number, in the fixed length of its kind."""

NumberRow = Annotated[tuple[Number, ...], Field(max_length=100_000, fail_fast=True)]
Numbers = Annotated[NumberRow, Field(repr=False)]
ProofNumbers = Numbers
"""As `Proof.write` gives them."""

Seed = Annotated[bytes, Field(min_length=32, max_length=32)]
"""Of a share or a question, or a nonce: shown to the ones that the protocol says, and to nobody else: its
fields are hidden from repr."""

Element = Annotated[bytes, Field(min_length=ELEMENT_BYTES, max_length=ELEMENT_BYTES)]
"""Of the group for commitments."""

RingPurpose = Literal["next model", "ranges", "metric", "errors"]
"""`protocol.crypto.ring.context.Purpose`, as it travels."""

StartMeasured = Literal["unmeasured", "public", "encrypted"]
"""`protocol.learning.moments.widths.Start`, as it travels."""

Evidence = Annotated[tuple[SignedMessage, ...], Field(min_length=1, max_length=256, fail_fast=True)]


class CommittedOwner(FrozenModel):
    """What an owner commits to when it joins: rows m, base h, K_1 … K_p, and that of its Gram matrix.

    `OwnerCommitments`, as it travels and is stored.
    """

    rows: Annotated[int, Field(ge=1, le=1 << 40)]
    base: BigNatural
    maps: Annotated[
        tuple[Element, ...], Field(min_length=1, max_length=MAXIMUM_FEATURES + 1, fail_fast=True, repr=False)
    ]
    gram: Annotated[Element, Field(repr=False)]

    @classmethod
    def of(cls, commitments: OwnerCommitments) -> "CommittedOwner":
        """What an owner shows of its own."""
        maps = tuple(_element(one) for one in commitments.maps)
        return cls(
            rows=commitments.rows, base=int(commitments.base), maps=maps, gram=_element(commitments.gram)
        )


class ShownOwner(FrozenModel):
    """An owner's commitments and the hash of its data card: together what its `Joined` has the digest of."""

    owner: Address
    card: Digest
    committed: CommittedOwner


class Shown(FrozenModel):
    """The opening of a ciphertext: plaintext and n-th root."""

    plaintext: Annotated[BigNatural, Field(repr=False)]
    root: Annotated[BigNatural, Field(repr=False)]


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


class AttemptFacts(FrozenModel):
    """What a record is made of besides the errors: every member has worked it out itself and signs it.

    `trainers` are those with an update, `members` the validators of the attempt; `start` says how the model
    that the round began with is measured. `evidence` is the digest of what all were shown, `metrics` are
    those of the members' signed metrics, in seat order.
    """

    trainers: Seats
    members: Seats
    start: StartMeasured
    digests: AttemptDigests
    evidence: Digest
    metrics: Annotated[tuple[Digest, ...], Field(min_length=2, max_length=256)]


START_OF = {start.value: start for start in Start}
"""The measure of a start by its name on the wire."""


def _element(number: mpz) -> bytes:
    return int(number).to_bytes(ELEMENT_BYTES, "big")
