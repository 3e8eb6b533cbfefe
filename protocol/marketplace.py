"""The contract as the roles see it: the calls they ask for and the events they act on."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords
from protocol.records import RoundRecord
from protocol.terms import NATIVE, Amount, Bond, Terms, Token
from protocol.types import (
    Address,
    BigInteger,
    Digest,
    EcdsaSignature,
    ExchangeKey,
    FrozenModel,
    RoundNumber,
    Seats,
    TrainingId,
)

PartyRole = Literal["model_buyer", "data_owner", "federated_aggregator"]
ROLE_NUMBERS: dict[str, int] = {"none": 0, "model_buyer": 1, "data_owner": 2, "federated_aggregator": 3}
STATUS_NAMES = ("none", "open", "drawing", "running", "settled", "cancelled")
Share = Literal[
    "contribution",
    "participation",
    "validation",
    "aggregation",
    "refund",
    "abandonment",
    "bond",
    "forfeit",
]
SHARE_NAMES = ("none", *get_args(Share))
Fault = Literal["no_reveal", "two_records", "false_opening"]
"""What an account loses its bond for: an unconfirmed seat, or what it has signed."""
FAULT_NAMES = ("none", *get_args(Fault))

SeatNumber = Annotated[int, Field(ge=0, le=255)]


# ---- calls, in the order of the contract's interface ----


class Register(FrozenModel):
    """Register the sender, for itself only, with its role and X25519 key."""

    call: Literal["register"] = "register"
    role: PartyRole
    exchange_key: ExchangeKey


class Open(FrozenModel):
    """Open a training and pay its deposit and the buyer's bond; of a token they are allowed first."""

    call: Literal["open"] = "open"
    terms: Terms
    deposit: Amount


class Join(FrozenModel):
    """Join an open training as an admitted owner, bound to what it has published and to a secret nonce.

    The digests are `join_digests.commitment` and `join_digests.nonce_digest`, the signatures those of the
    `SeatAdmission`; an empty one is none. The `bond` is the terms', in their token.
    """

    call: Literal["join"] = "join"
    training: TrainingId
    commitment: Digest
    nonce_digest: Digest
    aggregator_signature: Annotated[bytes, Field(max_length=65)] = b""
    buyer_signature: Annotated[bytes, Field(max_length=65)] = b""
    bond: Bond = 0
    token: Token = NATIVE


class Close(FrozenModel):
    """End the joining, once, and fix the block whose hash enters the draw of the roles.

    The `bond` is the aggregator's by the terms, in their token.
    """

    call: Literal["close"] = "close"
    training: TrainingId
    bond: Bond = 0
    token: Token = NATIVE


class Reveal(FrozenModel):
    """Keep the sender's seat: the nonce that it joined with is one of those that draw the roles."""

    call: Literal["reveal"] = "reveal"
    training: TrainingId
    nonce: Annotated[Digest, Field(repr=False)]


class Draw(FrozenModel):
    """Draw trainers and validators from the revealed nonces and the fixed block's hash."""

    call: Literal["draw"] = "draw"
    training: TrainingId


class RecordRound(FrozenModel):
    """Record a round's signed numbers; validator signatures in seat order, empty = not signed."""

    call: Literal["record_round"] = "record_round"
    record: RoundRecord
    buyer_signature: EcdsaSignature
    validator_signatures: Annotated[tuple[bytes, ...], Field(repr=False)]


class Settle(FrozenModel):
    """Divide the deposit by what was recorded: aggregator and buyer are credited, the owners claim."""

    call: Literal["settle"] = "settle"
    training: TrainingId


class Cancel(FrozenModel):
    """Give the deposit back where no round was recorded, less the price of leaving once roles are drawn."""

    call: Literal["cancel"] = "cancel"
    training: TrainingId


class ReleaseBond(FrozenModel):
    """Credit the sender with its own bond, some time after the training's end."""

    call: Literal["release_bond"] = "release_bond"
    training: TrainingId


class Claim(FrozenModel):
    """Credit the sender what its seat has earned in a training that is over, once."""

    call: Literal["claim"] = "claim"
    training: TrainingId


class Withdraw(FrozenModel):
    """Pay the sender's credit of a token out: to itself, or to another account."""

    call: Literal["withdraw"] = "withdraw"
    token: Token = NATIVE
    to: Address | None = None


ContractCall = Annotated[
    Register
    | Open
    | Join
    | Close
    | Reveal
    | Draw
    | RecordRound
    | Settle
    | Cancel
    | Claim
    | ReleaseBond
    | AccuseOfTwoRecords
    | AccuseOfFalseOpening
    | Withdraw,
    Field(discriminator="call"),
]


# ---- events ----


class Registered(FrozenModel):
    """A party registered, or changed its exchange key for later trainings."""

    event: Literal["Registered"] = "Registered"
    account: Address
    role: PartyRole
    exchange_key: ExchangeKey


class Opened(FrozenModel):
    """A training was opened with its deposit."""

    event: Literal["Opened"] = "Opened"
    training: TrainingId
    buyer: Address
    aggregator: Address
    deposit: Amount
    terms: Terms


class Joined(FrozenModel):
    """An owner took the next seat."""

    event: Literal["Joined"] = "Joined"
    training: TrainingId
    owner: Address
    seat: SeatNumber
    commitment: Digest
    nonce_digest: Digest


class Closed(FrozenModel):
    """Joining ended: owners reveal their nonces after this block, whose hash enters the draw with them."""

    event: Literal["Closed"] = "Closed"
    training: TrainingId
    draw_block: Annotated[int, Field(ge=0, lt=1 << 63)]


class Revealed(FrozenModel):
    """An owner revealed the nonce that it joined with: it keeps its seat."""

    event: Literal["Revealed"] = "Revealed"
    training: TrainingId
    owner: Address
    seat: SeatNumber
    nonce: Digest


class RolesDrawn(FrozenModel):
    """The seats of those who revealed were divided into trainers and validators; one in neither is lost."""

    event: Literal["RolesDrawn"] = "RolesDrawn"
    training: TrainingId
    trainers: Seats
    validators: Seats


class RoundRecorded(FrozenModel):
    """A round's numbers stand, with the contributions that the contract computed from them."""

    event: Literal["RoundRecorded"] = "RoundRecorded"
    training: TrainingId
    round: RoundNumber
    record: RoundRecord
    mse_after: BigInteger
    shapley: Annotated[tuple[BigInteger, ...], Field(max_length=256)]
    pay_weights: Annotated[tuple[BigInteger, ...], Field(max_length=256)]


class Settled(FrozenModel):
    """The deposit was divided; improvement × 1e18. `paid` is the aggregator's and what owners may claim."""

    event: Literal["Settled"] = "Settled"
    training: TrainingId
    improvement: BigInteger
    paid: Amount
    refund: Amount


class Cancelled(FrozenModel):
    """Over without a round: so much of the deposit is the buyer's again, owners drawn claim the rest."""

    event: Literal["Cancelled"] = "Cancelled"
    training: TrainingId
    refund: Amount


class Credited(FrozenModel):
    """An account may withdraw this much more of a token."""

    event: Literal["Credited"] = "Credited"
    training: TrainingId
    account: Address
    share: Share
    token: Token = NATIVE
    amount: Amount


class BondForfeited(FrozenModel):
    """An account has lost its bond, and why; who gets it instead may withdraw it."""

    event: Literal["BondForfeited"] = "BondForfeited"
    training: TrainingId
    account: Address
    fault: Fault
    token: Token = NATIVE
    amount: Amount


class OpeningDoubted(FrozenModel):
    """Somebody has the contract check an opening that the buyer has signed, a few steps at a time."""

    event: Literal["OpeningDoubted"] = "OpeningDoubted"
    training: TrainingId
    opening_digest: Digest
    done: BigInteger
    steps: BigInteger


class Withdrawn(FrozenModel):
    """An account had its credit of a token paid out, to itself or another."""

    event: Literal["Withdrawn"] = "Withdrawn"
    account: Address
    to: Address | None = None
    token: Token = NATIVE
    amount: Amount


MarketplaceEvent = Annotated[
    Registered
    | Opened
    | Joined
    | Closed
    | Revealed
    | RolesDrawn
    | RoundRecorded
    | Settled
    | Cancelled
    | Credited
    | BondForfeited
    | OpeningDoubted
    | Withdrawn,
    Field(discriminator="event"),
]


def validator_count(owners: int) -> int:
    """How many of n owners that revealed the contract draws as validators: max(2, 0.3·n rounded half up)."""
    return max(2, (3 * owners + 5) // 10)


def fold_sizes(owners: int, folds: int) -> tuple[int, int]:
    """The fewest and the most of n owners that validate in a round; of K folds n/K, rounded down and up."""
    if folds == 1:
        return validator_count(owners), validator_count(owners)
    return owners // folds, -(-owners // folds)


def quorum(drawn: int) -> int:
    """How many of so many drawn validators must measure and sign a round: more than half."""
    return drawn // 2 + 1


def training_of(event: MarketplaceEvent) -> int:
    """The training an event belongs to; 0 for those about an account."""
    return getattr(event, "training", 0)
