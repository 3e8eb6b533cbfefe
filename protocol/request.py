"""The request document (`REQUEST.yaml`): what a buyer asks to have trained, on what data, for what pay.

Its hash is keccak256 of its canonical JSON (RFC 8785, decimals as strings). With the id of the buyer's
Paillier key it makes the hash that goes on chain with the deposit, so that nobody can be shown other terms
than those that were paid for, or another's key.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from math import isqrt
from typing import Annotated, Any, Literal, Self

import rfc8785
from eth_hash.auto import keccak
from pydantic import Field, StringConstraints, model_validator

from protocol.links import LARGEST_SCALE, Link, link_of
from protocol.preparation.bases import MOST_BASES, Basis, all_parameters
from protocol.preparation.columns import Column, Parameter, TargetColumn, parameters_of
from protocol.request_kinds import unmet_demand
from protocol.request_sections import (
    MAXIMUM_FEATURES,
    MOST_BITS,
    Bounds,
    Deadlines,
    ModelKind,
    Owners,
    Payment,
    Schedule,
    Start,
    StartMean,
    StartWeights,
    StartZero,
)
from protocol.scaling import UNSCALED, Scaling, largest_weight, to_declared_units
from protocol.terms import NATIVE, Terms
from protocol.types import Address, FreeText, FrozenModel, Name, repeated

LEAST_KEY_BITS = 2048
MOST_KEY_BITS = 8192
_UNSCALED_BITS = 24
LONGEST_NAME = 100
"""Characters of a request's own name."""

_PAID = b"deltaml request and key"
"""Apart from every other use of keccak256: no document or key has a hash that could be taken for this one."""


class Request(FrozenModel):
    """The whole document; see `load_request` for reading one that a person wrote.

    `purpose` is what the model is intended for, `licence` on what terms its buyer passes it on: owners read
    both before they join, and the model card repeats them. `basis` are curves and products of features beside
    these themselves; owners compute them on their own rows.
    """

    name: Annotated[Name, StringConstraints(max_length=LONGEST_NAME)]
    model: ModelKind = ModelKind()
    features: Annotated[tuple[Column, ...], Field(min_length=1, max_length=MAXIMUM_FEATURES, fail_fast=True)]
    basis: Annotated[
        tuple[Basis, ...],
        Field(max_length=MOST_BASES, fail_fast=True, exclude_if=lambda basis: not basis),
    ] = ()
    target: TargetColumn
    scale: Literal["range", "none"] = "range"
    schedule: Schedule = Schedule()
    start: Start = StartZero()
    owners: Owners = Owners()
    bounds: Bounds = Bounds()
    payment: Payment
    aggregator: Address
    deadlines: Deadlines = Deadlines()
    key_bits: Annotated[int, Field(ge=256, le=MOST_KEY_BITS, multiple_of=64)] = 3072
    purpose: FreeText = ""
    licence: FreeText = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _ = self._is_consistent  # pydantic asks again whenever a state that holds the document is made
        return self

    @cached_property
    def _is_consistent(self) -> bool:
        """True; raises ValueError for sections that contradict each other."""
        twice = repeated(column.name for column in self.columns)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice")
        self._check_parameters()
        for parameter, scaling in zip(self._inputs, self._scalings, strict=True):
            if not scaling.is_exact:
                raise ValueError(
                    f"column {parameter.name!r}: floating point has no numbers for so narrow a range around "
                    f"{scaling.center:.9g}; have a constant subtracted from the column, or widen the range"
                )
        if isinstance(self.start, StartWeights) and len(self.start.weights) != self.parameters:
            raise ValueError(f"start.weights has {len(self.start.weights)} values; {self.parameters} needed")
        if isinstance(self.start, StartMean) and not self.model.intercept:
            raise ValueError("start: mean needs model.intercept: true")
        self._check_mean()
        unmet = unmet_demand(self.model, self.target, self.start, self.scale)
        if unmet is not None:
            raise ValueError(unmet)
        self._check_bonds()
        if self.scale == "range":
            self._check_bounds()
        else:
            self._check_first_model()
        return True

    def _check_parameters(self) -> None:
        if self.basis and not (self.model.intercept and self.scale == "range"):
            raise ValueError("basis needs model.intercept: true and scale: range")
        twice = repeated(parameter.name for parameter in self._inputs)
        if twice is not None:
            raise ValueError(
                f"two weights are named {twice!r}; rename a column or a level, or leave a basis out"
            )
        levels = next((one.name for one in self.features if getattr(one, "level", None) is not None), None)
        if levels is not None:
            raise ValueError(f"column {levels!r}: level is for a target; declare kind: categorical")
        if self.target.missing != "refuse" or getattr(self.target, "log", False):
            raise ValueError("target: missing values and logarithms are for features")

    def _check_mean(self) -> None:
        low, high = self.target.limits
        if isinstance(self.start, StartMean) and not low <= self.start.value <= high:
            raise ValueError(
                f"start.value is {self.start.value}, no mean of a target between {low} and {high}"
            )

    def _check_bonds(self) -> None:
        bonds = self.payment.bonds
        if bonds is not None and bonds.aggregator and bonds.forfeit_to == self.aggregator:
            raise ValueError(
                f"payment.bonds.forfeit_to is the aggregator, {self.aggregator}, which deposits a bond: "
                "name an account of neither it nor the buyer"
            )

    def _check_bounds(self) -> None:
        """Between scaled columns a number that overflows its slot would be read as another, unnoticed."""
        for name, needed in zip(("weight_bits", "residual_bits"), self._needed_bits, strict=True):
            given = getattr(self.bounds, name)
            if given is not None and given < needed:
                raise ValueError(
                    f"bounds.{name} is {given}; this start and schedule may need {needed}: leave it out"
                )
            if needed > MOST_BITS:
                raise ValueError(
                    f"this start and schedule may need {needed} bits, of {MOST_BITS} at most: start from "
                    "smaller weights, or widen the target's range"
                )

    def _check_first_model(self) -> None:
        """Of columns as they are no more is known than what the first model gives."""
        limit = Decimal(2) ** self.weight_bits
        if any(abs(weight) >= limit for weight in self.start_weights()):
            raise ValueError("a start weight does not fit into bounds.weight_bits")
        needed = int(self._largest_first_residual()).bit_length()
        if needed > self.residual_bits:
            raise ValueError(
                f"residuals of the first model may need {needed} bits; bounds.residual_bits is "
                f"{self.residual_bits}: raise it, or narrow the ranges"
            )

    def _largest_first_residual(self) -> Decimal:
        """The bound of |Xθ − y| for the start's weights that the declared ranges give."""
        ranges = [parameter.limits or (Decimal(0), Decimal(1)) for parameter in self._inputs]
        *features, target = [max(abs(low), abs(high)) for low, high in ranges]
        inputs = [*features, Decimal(1)] if self.model.intercept else features
        weights = self.start_weights() or (Decimal(0),) * self.parameters
        return target + sum(abs(w) * x for w, x in zip(weights, inputs, strict=True))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Everything that rows must have: features, target, and the column of events if any."""
        return (*self.features, self.target, *self.model.events)

    @property
    def parameters(self) -> int:
        """p: the number of weights, the intercept included."""
        return len(self._inputs) - 1 + int(self.model.intercept)

    @cached_property
    def _inputs(self) -> tuple[Parameter, ...]:
        """What the weights but the intercept belong to, and the target last."""
        features = all_parameters(self.features, self.basis, MAXIMUM_FEATURES)
        return (*features, *self.target.parameters)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """What each weight but the intercept belongs to."""
        return tuple(parameter.name for parameter in self._inputs[:-1])

    @property
    def curve_names(self) -> tuple[str, ...]:
        """Of these the functions of `basis`, which come last."""
        return self.weight_names[len(parameters_of(self.features)) :]

    def scalings(self) -> tuple[Scaling, ...]:
        """How each parameter's column, and the target last, is scaled before anything is computed."""
        return self._scalings

    @cached_property
    def _scalings(self) -> tuple[Scaling, ...]:
        if self.scale == "none":
            return (UNSCALED,) * len(self._inputs)
        scalings = tuple(parameter.scaling(centered=self.model.intercept) for parameter in self._inputs)
        link = self._link
        return scalings if link is None else (*scalings[:-1], Scaling(Decimal(0), link.reach(self.target)))

    @property
    def _link(self) -> Link | None:
        """Of a model whose weights make a predictor of the target's mean, and not the target.

        None as well for a target that it does not suit, which is refused before anything is computed.
        """
        link = link_of(self.model.kind, self.model.dispersion)
        return None if link is None or link.unsuitable(self.target) else link

    @property
    def weight_bits(self) -> int:
        """Every |weight| of a training is below 2 to this; between scaled columns the document says what."""
        return self.bounds.weight_bits or self._needed_bits[0]

    @property
    def residual_bits(self) -> int:
        """The RMS residual of every local model, in the scaled target's units, is below 2 to this."""
        return self.bounds.residual_bits or self._needed_bits[1]

    @cached_property
    def _needed_bits(self) -> tuple[int, int]:
        """Bits that weights and residuals of honest parties can need; a guess for columns without a scale.

        Of scaled columns a row is no longer than √p, and its target no more than 1.
        """
        if self.scale == "none":
            return _UNSCALED_BITS, _UNSCALED_BITS
        largest = largest_weight(self.start_weights(), self.schedule.rounds, self.schedule.local_steps)
        residual = largest * (isqrt(self.parameters) + 1) + 1
        return largest.bit_length(), (residual * self._stretch).bit_length()

    @property
    def gram_bits(self) -> int:
        """By how many bits an entry of a validator's Gram matrix may be larger than that of plain rows."""
        return 2 * (self._stretch - 1).bit_length()

    @property
    def _stretch(self) -> int:
        """By how much a row with its weight √W, stretched as validators may, is longer than without."""
        if self._link is None:
            return 1
        return int((LARGEST_SCALE * max(self._link.largest_weight(self.target), Decimal(1))).sqrt()) + 1

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As of any model, without what was worked out of the fields before."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("_is_consistent", "_inputs", "_scalings", "_needed_bits"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def target_range(self) -> Decimal:
        """Width of the scaled target's range, the unit of the metric's noise; of a predictor that is 2."""
        if self._link is not None:
            return Decimal(2)
        low, high = self.target.limits
        return (high - low) / self.scalings()[-1].half

    @property
    def error_unit(self) -> Decimal:
        """By how much a published error is multiplied to be in the target's own units, squared.

        Of a model with a link: to be a mean deviance.
        """
        return self.scalings()[-1].half ** 2

    def start_weights(self) -> tuple[Decimal, ...]:
        """The public initial weights between scaled columns, the intercept last."""
        zeros = (Decimal(0),) * self.parameters
        match self.start:
            case StartMean(value=value):
                mean = value if self._link is None else self._link.predictor(value)
                return to_declared_units((*zeros[:-1], mean), self.scalings())
            case StartWeights(weights=weights):
                return to_declared_units(weights, self.scalings())
            case _:
                return zeros

    def canonical(self) -> bytes:
        """Canonical JSON (RFC 8785); numbers that are not small integers are strings.

        What a document may do without is left out: texts that are empty, no basis, the chain's own coin, no
        bonds.
        """
        document = self.model_dump(mode="json")
        if self.payment.token == NATIVE:
            del document["payment"]["token"]
        if self.payment.bonds is None:
            del document["payment"]["bonds"]
        empty = [name for name in ("purpose", "licence") if not document[name]]
        return rfc8785.dumps({name: value for name, value in document.items() if name not in empty})

    def hash(self) -> bytes:
        """keccak256 of the canonical JSON."""
        return keccak(self.canonical())

    def paid_hash(self, key_id: bytes) -> bytes:
        """The requestHash on chain: of this document and the key of this id (`PublicKey.key_id`)."""
        return keccak(_PAID + self.hash() + key_id)

    def terms(self, key_id: bytes) -> Terms:
        """The contract's terms that this document fixes, with the buyer's key of this id.

        A round may take every step's deadline and the chain's three times over before anyone may settle.
        """
        return Terms(
            aggregator=self.aggregator,
            request_hash=self.paid_hash(key_id),
            rounds=self.schedule.rounds,
            min_owners=self.owners.minimum,
            max_owners=self.owners.maximum,
            contribution_bps=self.payment.contribution_bps,
            participation_bps=self.payment.participation_bps,
            validation_bps=self.payment.validation_bps,
            aggregation_bps=self.payment.aggregation_bps,
            join_seconds=self.deadlines.join_s,
            round_seconds=3 * (6 * self.deadlines.step_s + self.deadlines.chain_s),
            reveal_seconds=self.deadlines.reveal_s,
            abandon_bps=self.payment.abandon_bps,
            admission=self.owners.admission,
            token=self.payment.token,
            **self._bonds(),
        )

    def _bonds(self) -> dict[str, Any]:
        bonds = self.payment.bonds
        if bonds is None:
            return {}
        return {
            "owner_bond": bonds.owner,
            "aggregator_bond": bonds.aggregator,
            "buyer_bond": bonds.buyer,
            "forfeit_to": bonds.forfeit_to,
        }
