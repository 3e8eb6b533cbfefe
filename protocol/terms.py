"""A training's terms: what it pays, in what, which bonds are asked, how long it may take."""

from typing import Annotated, get_args

from pydantic import Field

from protocol.seat_admission import AdmittedBy
from protocol.types import ZERO_ADDRESS, Address, BigInteger, Digest, FrozenModel

ADMISSION_NAMES: tuple[AdmittedBy, ...] = get_args(AdmittedBy)

Amount = Annotated[BigInteger, Field(ge=0, lt=1 << 256)]
"""Smallest units of an asset (`asset.py`)."""

Token = Annotated[Address, Field(description="An ERC-20's address; zero is the chain's own coin.")]
"""What amounts are in."""

NATIVE: Token = ZERO_ADDRESS
"""The chain's own coin."""

Bond = Annotated[BigInteger, Field(ge=0, lt=1 << 128)]
"""What a party deposits against its own faults, in smallest units of what a training pays in."""

BASIS_POINTS = 10_000
"""Of a whole."""

BasisPoints = Annotated[int, Field(ge=0, le=BASIS_POINTS)]


AbandonBasisPoints = Annotated[int, Field(ge=0, le=1000)]
"""The price of leaving: a tenth at most, less than owners get for any work by the usual shares.

An aggregator that stops with owners of its own takes it from a buyer that did nothing wrong.
"""

LONGEST_REVEAL_SECONDS = 7 * 86_400
"""For which the contract lets owners reveal their nonces."""


class Terms(FrozenModel):
    """What a training pays and how long it may take; fixed when it is opened.

    A bond of zero is none; what is lost of the others goes to `forfeit_to`.
    """

    aggregator: Address
    request_hash: Digest
    rounds: Annotated[int, Field(ge=1, le=10_000)]
    min_owners: Annotated[int, Field(ge=4, le=256)]
    max_owners: Annotated[int, Field(ge=4, le=256)]
    folds: Annotated[int, Field(ge=1, le=10)] = 1
    contribution_bps: BasisPoints
    participation_bps: BasisPoints
    validation_bps: BasisPoints
    aggregation_bps: BasisPoints
    join_seconds: Annotated[int, Field(ge=1, le=365 * 86_400)]
    round_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)]
    reveal_seconds: Annotated[int, Field(ge=1, le=LONGEST_REVEAL_SECONDS)]
    abandon_bps: AbandonBasisPoints
    admission: AdmittedBy = "both"
    token: Token = NATIVE
    owner_bond: Bond = 0
    aggregator_bond: Bond = 0
    buyer_bond: Bond = 0
    forfeit_to: Address = ZERO_ADDRESS
