"""The sections of the request document: what is trained, how long, by how many owners, for what pay."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from protocol.preparation.columns import BooleanColumn
from protocol.request_values import AmountText, Number
from protocol.seat_admission import AdmittedBy
from protocol.terms import (
    BASIS_POINTS,
    LONGEST_REVEAL_SECONDS,
    NATIVE,
    AbandonBasisPoints,
    BasisPoints,
    Token,
)
from protocol.types import ZERO_ADDRESS, Address, FrozenModel, Name

MAXIMUM_FEATURES = 4096
MAXIMUM_OWNERS = 256
MOST_TARGETS = 16
"""Columns that one training predicts."""
MOST_CLASSES = 64
"""Levels of a text that one training tells apart."""
MOST_BITS = 64
"""Of a weight or a residual."""


KindName = Literal[
    "linear_regression",
    "binary_classification",
    "logistic_regression",
    "poisson_regression",
    "gamma_regression",
    "negative_binomial_regression",
    "cox_regression",
    "several_targets",
    "several_classes",
]
"""What `learning.kinds.registry` has."""

DEFAULT_KIND: Literal["linear_regression"] = "linear_regression"
"""Of documents that name none."""


Dispersion = Annotated[Number, Field(ge=Decimal("0.001"), le=1000)]
"""α of counts with the variance μ + αμ²; below a thousandth they vary as Poisson's do."""


MOST_RIDGES = 8
"""Penalties that one training tries."""

_Ridge = Annotated[Number, Field(ge=0, le=10**6)]


def _falling(path: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """The path as it is; raises ValueError unless every λ is below the one before."""
    if list(path) != sorted(set(path), reverse=True):
        wanted = ", ".join(f"{one:f}" for one in sorted(set(path), reverse=True))
        raise ValueError(f"a path of l2 falls, the strongest penalty first, and has none twice: [{wanted}]")
    return path


_RidgePath = Annotated[
    tuple[_Ridge, ...],
    Field(min_length=2, max_length=MOST_RIDGES, fail_fast=True),
    AfterValidator(_falling),
]


def _ridge_tag(value: object) -> str:
    return "=path" if isinstance(value, list | tuple) else "=number"


Ridges = Annotated[
    Annotated[_Ridge, Tag("=number")] | Annotated[_RidgePath, Tag("=path")], Discriminator(_ridge_tag)
]
"""One λ, or several to choose from: see `ridge_path`."""


class ModelKind(FrozenModel):
    """Which model; l2 is ridge's λ, of weights between scaled columns (`Request.scale`), or a path of them.

    What `kind` asks of the other sections says `request_kinds.DEMANDS`. `dispersion` is of negative binomial
    regressions alone, and of Cox's `event`: the column that is 1 where the time ended with the event and 0
    where nothing had happened yet. A document without them has the hash of those that know none.
    """

    kind: KindName = DEFAULT_KIND
    intercept: bool = True
    l2: Ridges = Decimal("0.00001")
    dispersion: Annotated[Dispersion | None, Field(exclude_if=lambda alpha: alpha is None)] = None
    event: Annotated[Name | None, Field(exclude_if=lambda event: event is None)] = None

    @property
    def ridges(self) -> tuple[Decimal, ...]:
        """Every λ in the order in which rounds take them: the only one, or all of a path."""
        return self.l2 if isinstance(self.l2, tuple) else (self.l2,)

    @property
    def events(self) -> tuple[BooleanColumn, ...]:
        """The column that says which times ended with the event, of kinds that have one."""
        return () if self.event is None else (BooleanColumn(name=self.event, kind="boolean"),)


class StartZero(FrozenModel):
    """Start with every weight at zero: the middle of the target's range, or zero without a scale."""

    start: Literal["zero"] = "zero"


class StartMean(FrozenModel):
    """Start with the intercept at the target's mean as the buyer knows it: pay then measures the data."""

    start: Literal["mean"] = "mean"
    value: Number


class StartMeans(FrozenModel):
    """Of several targets: each one's mean in their order, of several classes the share of each."""

    start: Literal["means"] = "means"
    values: Annotated[tuple[Number, ...], Field(min_length=2, max_length=MOST_CLASSES, fail_fast=True)]


class StartWeights(FrozenModel):
    """Start from these weights, the intercept last: those of a model that is to be trained further.

    Of several targets all weights of the first, its intercept last, and then those of the next.
    """

    start: Literal["weights"] = "weights"
    weights: Annotated[
        tuple[Number, ...], Field(min_length=1, max_length=MAXIMUM_FEATURES + 1, fail_fast=True)
    ]


Start = Annotated[StartZero | StartMean | StartMeans | StartWeights, Field(discriminator="start")]


class Owners(FrozenModel):
    """How many owners the training needs at least and takes at most; who has to admit each of them."""

    minimum: Annotated[int, Field(ge=4, le=MAXIMUM_OWNERS)] = 4
    maximum: Annotated[int, Field(ge=4, le=MAXIMUM_OWNERS)] = 64
    admission: AdmittedBy = "both"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError("owners.minimum must not exceed owners.maximum")
        return self


class Bounds(FrozenModel):
    """Ranges in bits of |weight| and of an RMS residual: every width in the encryption follows from them.

    None takes what the scale makes enough: see `Request.weight_bits`.
    """

    weight_bits: Annotated[int, Field(ge=4, le=MOST_BITS)] | None = None
    residual_bits: Annotated[int, Field(ge=4, le=MOST_BITS)] | None = None
    min_rows: Annotated[int, Field(ge=1, le=1 << 40)] = 20


class Bonds(FrozenModel):
    """What each owner, the aggregator and the buyer deposit against faults that the contract can check.

    In the smallest units of what the request pays in; zero is none. Each comes back after the end. What is
    lost goes to `forfeit_to`, which must be nobody who could lose it.
    """

    owner: AmountText = Field(0, lt=1 << 128)
    aggregator: AmountText = Field(0, lt=1 << 128)
    buyer: AmountText = Field(0, lt=1 << 128)
    forfeit_to: Address

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        if not (self.owner or self.aggregator or self.buyer):
            raise ValueError(
                "every bond is zero: say what owner, aggregator or buyer deposit, or leave bonds out"
            )
        if self.forfeit_to == ZERO_ADDRESS:
            raise ValueError("forfeit_to is the zero address: name an account that gets what is lost")
        return self


class Payment(FrozenModel):
    """The deposit and its shares in basis points; contribution is paid by what the model improved.

    The deposit is in the smallest units of `token`: in wei for the chain's own coin, which is what a request
    that names no token pays in. Without `bonds` nobody deposits anything against faults.
    """

    deposit_wei: Annotated[AmountText, Field(ge=1, lt=1 << 128)]
    token: Token = NATIVE
    contribution_bps: BasisPoints = 6500
    participation_bps: BasisPoints = 500
    validation_bps: BasisPoints = 2000
    aggregation_bps: BasisPoints = 1000
    abandon_bps: AbandonBasisPoints = 200
    bonds: Bonds | None = None

    @property
    def buyer_pays(self) -> int:
        """What the opening takes from the buyer: the deposit, and its bond if there is one."""
        return self.deposit_wei + (self.bonds.buyer if self.bonds else 0)

    def unsuitable_bonds(self, aggregator: Address) -> str | None:
        """What is said of bonds whose receiver could lose one; None of all others."""
        if self.bonds is None or not self.bonds.aggregator or self.bonds.forfeit_to != aggregator:
            return None
        return (
            f"payment.bonds.forfeit_to is the aggregator, {aggregator}, which deposits a bond: "
            "name an account of neither it nor the buyer"
        )

    def bond_terms(self) -> dict[str, Any]:
        """The contract's terms of bonds; nothing where there are none."""
        if self.bonds is None:
            return {}
        return {
            "owner_bond": self.bonds.owner,
            "aggregator_bond": self.bonds.aggregator,
            "buyer_bond": self.bonds.buyer,
            "forfeit_to": self.bonds.forfeit_to,
        }

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.contribution_bps + self.participation_bps + self.validation_bps + self.aggregation_bps
        if total != BASIS_POINTS:
            raise ValueError(f"payment shares add up to {total} basis points; they must make {BASIS_POINTS}")
        return self


_ATTEMPTS = 3
"""At measuring a round (`learning.judgement.members`)."""

_ATTEMPT_STEPS = 6
"""Of an attempt: question, checks, metrics, noise, opening, signatures."""

_REPETITION_STEPS = 8
"""Before a round is repeated: two rings of three turns each, over ranges and errors, and the buyer's opening.

Once in a round: whoever errs too much for it is named in one word, and nobody is left for another.
"""


class Deadlines(FrozenModel):
    """Seconds to wait for owners to join and to reveal their nonces, for a peer's answer, and for the chain.

    An owner that has not revealed within `reveal_s` of the joining's end loses its seat. It reveals once the
    chain has confirmed that end, which `chain_s` is for: `reveal_s` is as much or more, and best twice that.
    """

    join_s: Annotated[int, Field(ge=1, le=31_536_000)] = 600
    reveal_s: Annotated[int, Field(ge=1, le=LONGEST_REVEAL_SECONDS)] = 600
    step_s: Annotated[int, Field(ge=1, le=86_400)] = 120
    chain_s: Annotated[int, Field(ge=1, le=86_400)] = 300

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if self.reveal_s < self.chain_s:
            raise ValueError(
                f"deadlines.reveal_s is {self.reveal_s} and deadlines.chain_s {self.chain_s}: owners reveal "
                "once the chain has confirmed the joining's end, which may take chain_s; give reveal_s twice "
                "as much, chain_s at least"
            )
        return self

    @property
    def round_seconds(self) -> int:
        """How long a round may take before anyone may settle: every step's deadline and the chain's.

        Once for each attempt, and those of the rings after which it is repeated once.
        """
        attempts = _ATTEMPTS * (_ATTEMPT_STEPS * self.step_s + self.chain_s)
        return attempts + _REPETITION_STEPS * self.step_s
