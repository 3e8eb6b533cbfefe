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
from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from protocol.inference_terms import inference_refused
from protocol.links import LARGEST_SCALE, Link, link_of
from protocol.preparation.bases import MOST_BASES, Basis, all_parameters
from protocol.preparation.columns import Column, DeclaredTarget, Parameter, TargetColumn, parameters_of
from protocol.request_bounds import largest_trained_weight, too_few_bits, too_large_first
from protocol.request_columns import inexact_column, repeated_name, unsuitable_columns
from protocol.request_kinds import unmet_demand, unsuitable_start
from protocol.request_schedule import Schedule, unfit_folds
from protocol.request_sections import (
    MAXIMUM_FEATURES,
    MOST_TARGETS,
    Bounds,
    Deadlines,
    ModelKind,
    Owners,
    Payment,
    Start,
    StartMean,
    StartMeans,
    StartWeights,
    StartZero,
)
from protocol.request_targets import outputs_of, too_many_weights, unsuitable_targets
from protocol.ridge_path import unsuitable_path
from protocol.scaling import UNSCALED, Scaling, to_declared_units
from protocol.terms import NATIVE, Terms
from protocol.types import Address, FreeText, FrozenModel, Name

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
    these themselves; owners compute them on their own rows. Of several columns to predict, `targets` has them
    in the place of `target`. With `inference` the buyer gets standard errors.
    """

    name: Annotated[Name, StringConstraints(max_length=LONGEST_NAME)]
    model: ModelKind = ModelKind()
    features: Annotated[tuple[Column, ...], Field(min_length=1, max_length=MAXIMUM_FEATURES, fail_fast=True)]
    basis: Annotated[
        tuple[Basis, ...],
        Field(max_length=MOST_BASES, fail_fast=True, exclude_if=lambda basis: not basis),
    ] = ()
    target: Annotated[
        DeclaredTarget | None, Field(exclude_if=lambda target: target is None, validate_default=True)
    ] = None
    targets: Annotated[
        tuple[TargetColumn, ...],
        Field(max_length=MOST_TARGETS, fail_fast=True, exclude_if=lambda targets: not targets),
    ] = ()
    scale: Literal["range", "none"] = "range"
    inference: Annotated[bool, Field(exclude_if=lambda asked: not asked)] = False
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

    @field_validator("target")
    @classmethod
    def _named(cls, target: DeclaredTarget | None, info: ValidationInfo) -> DeclaredTarget | None:
        model = info.data.get("model")
        if target is None and model is not None and model.kind != "several_targets":
            raise PydanticCustomError("missing", "Field required")
        return target

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _ = self._is_consistent  # pydantic asks again whenever a state that holds the document is made
        return self

    @cached_property
    def _is_consistent(self) -> bool:
        """True; raises ValueError for sections that contradict each other."""
        unsuitable = unsuitable_targets(self.model.kind, self.target, self.targets) or self._unsuitable()
        if unsuitable is not None:
            raise ValueError(unsuitable)
        if isinstance(self.start, StartWeights) and len(self.start.weights) != self.parameters:
            raise ValueError(f"start.weights has {len(self.start.weights)} values; {self.parameters} needed")
        unmet = unsuitable_start(self.model, self.outputs, self.start) or unmet_demand(
            self.model, self.outputs[0], self.start, self.scale
        )
        if self.inference and unmet is None:
            unmet = inference_refused(self.model, self.scale, self.owners, self.parameters)
        unmet = unmet or unfit_folds(self.schedule, self.owners, self.model, inference=self.inference)
        if unmet is not None:
            raise ValueError(unmet)
        unfit = self.payment.unsuitable_bonds(self.aggregator) or self._unfit_bounds()
        if unfit is not None:
            raise ValueError(unfit)
        return True

    def _unsuitable(self) -> str | None:
        is_plain = self.model.intercept and self.scale == "range"
        if self.basis and not is_plain:
            return "basis needs model.intercept: true and scale: range"
        if self.schedule.is_admm and self.scale != "range":
            return "schedule.method: admm needs scale: range, by which columns are in [-1, 1]"
        return (
            unsuitable_columns(self.features, self.declared_targets)
            or repeated_name((*self.features, *self.model.events), self.declared_targets, self.weight_names)
            or too_many_weights(self.parameters, len(self.outputs))
            or unsuitable_path(self.model, self.schedule, self.owners, self.parameters)
            or inexact_column(self._inputs, self._scalings)
        )

    def _unfit_bounds(self) -> str | None:
        if self.scale == "range":
            return too_few_bits(self.bounds, self._needed_bits)
        first = self.start_weights()
        return too_large_first(first, self._inputs, self.weight_bits, self.residual_bits)

    @property
    def declared_targets(self) -> tuple[DeclaredTarget, ...]:
        """What is to be predicted, as the document has it."""
        return self.targets if self.target is None else (self.target,)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Everything that rows must have, as the document has it: features, targets, and events if any."""
        return (*self.features, *self.declared_targets, *self.model.events)

    @property
    def outputs(self) -> tuple[TargetColumn, ...]:
        """The columns of numbers that are predicted, one of most kinds; of several classes one for each."""
        return self._outputs

    @cached_property
    def _outputs(self) -> tuple[TargetColumn, ...]:
        return outputs_of(self.declared_targets)

    @property
    def parameters(self) -> int:
        """The number of weights, all targets' and the intercepts included."""
        return len(self.outputs) * self.output_parameters

    @property
    def output_parameters(self) -> int:
        """p: of these the weights of one target, its intercept included."""
        return len(self.weight_names) + int(self.model.intercept)

    @property
    def estimated(self) -> int:
        """How many weights rows determine: all but the intercept of hazards."""
        return self.parameters - len(self.model.events)

    @cached_property
    def _inputs(self) -> tuple[Parameter, ...]:
        """What a target's weights but the intercept belong to, and all targets last."""
        features = all_parameters(self.features, self.basis, MAXIMUM_FEATURES)
        return (*features, *parameters_of(self.outputs))

    @property
    def weight_names(self) -> tuple[str, ...]:
        """What each weight of a target but the intercept belongs to."""
        return tuple(parameter.name for parameter in self._inputs[: -len(self.outputs)])

    @property
    def curve_names(self) -> tuple[str, ...]:
        """Of these the functions of `basis`, which come last."""
        return self.weight_names[len(parameters_of(self.features)) :]

    def scalings(self, output: int = 0) -> tuple[Scaling, ...]:
        """How each parameter's column, and that of `outputs` last, is scaled before anything is computed."""
        features = len(self._scalings) - len(self.outputs)
        return (*self._scalings[:features], self._scalings[features + output])

    @cached_property
    def _scalings(self) -> tuple[Scaling, ...]:
        if self.scale == "none":
            return (UNSCALED,) * len(self._inputs)
        scalings = tuple(parameter.scaling(centered=self.model.intercept) for parameter in self._inputs)
        link = self._link
        return (
            scalings if link is None else (*scalings[:-1], Scaling(Decimal(0), link.reach(self.outputs[0])))
        )

    @property
    def _link(self) -> Link | None:
        """Of a model whose weights make a predictor of the target's mean, and not the target.

        None as well for a target that it does not suit, which is refused before anything is computed.
        """
        link = link_of(self.model.kind, self.model.dispersion)
        return None if link is None or link.unsuitable(self.outputs[0]) else link

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

        Of scaled columns a row is no longer than √p, and its target no more than 1. The mean over several
        targets is no more than the largest, each of which is trained as by itself.
        """
        if self.scale == "none":
            return _UNSCALED_BITS, _UNSCALED_BITS
        starts = map(self._first_weights, range(len(self.outputs)))
        largest = max(largest_trained_weight(start, self.schedule, self.owners) for start in starts)
        residual = largest * (isqrt(self.output_parameters) + 1) + 1
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
        return int((LARGEST_SCALE * max(self._link.largest_weight(self.outputs[0]), Decimal(1))).sqrt()) + 1

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As of any model, without what was worked out of the fields before."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("_is_consistent", "_outputs", "_inputs", "_scalings", "_needed_bits"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def target_range(self) -> Decimal:
        """Width of the scaled target's range, the unit of the metric's noise; of a predictor that is 2."""
        if self._link is not None:
            return Decimal(2)
        limits = (one.limits for one in self.outputs)
        halves = (one.half for one in self._scalings[-len(self.outputs) :])
        return max((high - low) / half for (low, high), half in zip(limits, halves, strict=True))

    @property
    def error_unit(self) -> Decimal:
        """By how much a published error is multiplied to be in the target's own units, squared.

        Of a model with a link: to be a mean deviance. Of several targets in different units 1: the error
        stays the mean of theirs in halves of their declared ranges.
        """
        halves = {one.half for one in self._scalings[-len(self.outputs) :]}
        return Decimal(1) if len(halves) > 1 else halves.pop() ** 2

    def start_weights(self) -> tuple[Decimal, ...]:
        """The public initial weights between scaled columns, of each target in turn, its intercept last."""
        targets = range(len(self.outputs))
        return tuple(weight for target in targets for weight in self._first_weights(target))

    def _first_weights(self, output: int) -> tuple[Decimal, ...]:
        size = self.output_parameters
        zeros = (Decimal(0),) * size
        match self.start:
            case StartMean(value=value):
                mean = value if self._link is None else self._link.predictor(value)
                return to_declared_units((*zeros[:-1], mean), self.scalings())
            case StartMeans(values=values):
                return to_declared_units((*zeros[:-1], values[output]), self.scalings(output))
            case StartWeights(weights=weights):
                return to_declared_units(weights[output * size :][:size], self.scalings(output))
            case _:
                return zeros

    def canonical(self) -> bytes:
        """Canonical JSON (RFC 8785); numbers that are not small integers are strings.

        What a document may do without is left out: texts that are empty, no basis, no inference, the chain's
        own coin, no bonds.
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
        """The contract's terms that this document fixes, with the buyer's key of this id."""
        return Terms(
            aggregator=self.aggregator,
            request_hash=self.paid_hash(key_id),
            rounds=self.schedule.rounds,
            min_owners=self.owners.minimum,
            max_owners=self.owners.maximum,
            folds=self.schedule.folds,
            contribution_bps=self.payment.contribution_bps,
            participation_bps=self.payment.participation_bps,
            validation_bps=self.payment.validation_bps,
            aggregation_bps=self.payment.aggregation_bps,
            join_seconds=self.deadlines.join_s,
            round_seconds=self.deadlines.round_seconds,
            reveal_seconds=self.deadlines.reveal_s,
            abandon_bps=self.payment.abandon_bps,
            admission=self.owners.admission,
            token=self.payment.token,
            **self.payment.bond_terms(),
        )
