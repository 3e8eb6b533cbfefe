"""The model as its buyer holds it: weights by name, with all it needs to prepare rows as they are read."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from protocol.preparation.bases import MOST_BASES, Basis, all_parameters
from protocol.preparation.columns import Column, NumericColumn
from protocol.preparation.design import design_matrix
from protocol.preparation.tables import Matrix, Table
from protocol.preparation.values import Level
from protocol.request import Request
from protocol.request_sections import DEFAULT_KIND, MAXIMUM_FEATURES, MOST_CLASSES, Dispersion, KindName
from protocol.request_targets import SEVERAL
from protocol.scaling import to_own_units
from protocol.types import FrozenModel, Name, repeated


class Range(FrozenModel):
    """From where to where a column's values were declared to lie."""

    minimum: float
    maximum: float


class TargetWeights(FrozenModel):
    """One of several targets with its own weights, as `BoughtModel` has them of a single one."""

    target: Name
    target_kind: Literal["numeric", "boolean"] = "numeric"
    target_level: Annotated[Level | None, Field(exclude_if=lambda level: level is None)] = None
    weights: Annotated[tuple[float, ...], Field(repr=False)]
    intercept: Annotated[float | None, Field(repr=False)]

    @property
    def label(self) -> str:
        """The column, of a class with its level."""
        return self.target if self.target_level is None else f"{self.target}={self.target_level}"


def _of_numbers(fields: dict[str, Any]) -> tuple[NumericColumn, ...]:
    """The columns of a model that knew numbers alone, in their ranges where they are told."""
    names, ranges = fields["features"], fields["ranges"]
    if len(ranges) != len(names):
        return tuple(NumericColumn.of_any_range(name) for name in names)
    ends = ((Decimal(repr(one.minimum)), Decimal(repr(one.maximum))) for one in ranges)
    return tuple(
        NumericColumn(name=name, minimum=low, maximum=high)
        for name, (low, high) in zip(names, ends, strict=True)
    )


class BoughtModel(FrozenModel):
    """What the buyer paid for: weights by feature, the intercept apart, in the features' own units.

    Of a classification they make the log-odds of the target being 1, not the target itself; of counts and
    amounts the logarithm of the mean; `dispersion` is that of counts whose request declared one. With
    `target_level` the target holds texts, of which this one is 1. Of times until an event they make the
    logarithm of a hazard beside that of a row in the middle of the ranges; `event` is the column of 0 and 1
    that rows need besides to be compared with.
    `columns` are the request's: what rows must have, and how they become the `features` that the weights are
    for (`design`), with the functions of `basis` after them. `ranges` is in files of earlier versions
    instead, whose columns are all numbers. Several targets, or classes, have theirs in `outputs`: then
    `weights` is empty and `target` the first of them.
    """

    name: Name
    kind: KindName = DEFAULT_KIND
    dispersion: Annotated[Dispersion | None, Field(exclude_if=lambda alpha: alpha is None)] = None
    event: Annotated[Name | None, Field(exclude_if=lambda event: event is None)] = None
    features: tuple[str, ...]
    target: Name
    target_kind: Literal["numeric", "boolean"] = "numeric"
    target_level: Annotated[Level | None, Field(exclude_if=lambda level: level is None)] = None
    weights: Annotated[tuple[float, ...], Field(repr=False)]
    intercept: Annotated[float | None, Field(repr=False)]
    ranges: Annotated[tuple[Range, ...], Field(exclude=True)] = ()
    columns: Annotated[tuple[Column, ...], Field(default_factory=_of_numbers)]
    basis: Annotated[tuple[Basis, ...], Field(max_length=MOST_BASES, exclude_if=lambda basis: not basis)] = ()
    outputs: Annotated[
        tuple[TargetWeights, ...], Field(max_length=MOST_CLASSES, exclude_if=lambda outputs: not outputs)
    ] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.ranges) not in (0, len(self.features)):
            raise ValueError("as many ranges as features are needed, or none")
        made = all_parameters(self.columns, self.basis, MAXIMUM_FEATURES)
        if tuple(parameter.name for parameter in made) != self.features:
            raise ValueError("the columns make other features than there are weights for")
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column is named twice")
        if self.kind == "binary_classification" and (self.target_kind != "boolean" or self.intercept is None):
            raise ValueError("a binary classification has a boolean target and an intercept")
        if self.kind == "logistic_regression" and self.target_kind != "boolean":
            raise ValueError("a logistic regression has a boolean target")
        if (self.kind == "negative_binomial_regression") != (self.dispersion is not None):
            raise ValueError("a negative binomial regression has a dispersion, and no other kind has one")
        if (self.kind == "cox_regression") != (self.event is not None):
            raise ValueError("a model of hazards has an event, and no other kind has one")
        self._check_outputs()
        return self

    def _check_outputs(self) -> None:
        if (self.kind in SEVERAL) != (len(self.outputs) > 1) or len(self.outputs) == 1:
            raise ValueError(f"{len(self.outputs)} outputs; a kind of several targets has two or more")
        if any(len(one.weights) != len(self.features) for one in self.outputs):
            raise ValueError("every target has as many weights as there are features")
        twice = repeated(one.label for one in self.outputs)
        if twice is not None:
            raise ValueError(f"{twice!r} is predicted twice")
        of_one = len({one.target for one in self.outputs}) == 1
        if self.kind == "several_classes" and not (of_one and all(one.target_level for one in self.outputs)):
            raise ValueError("several classes are levels of one target")

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted: one, but of several targets."""
        return tuple(dict.fromkeys(one.target for one in self.outputs)) or (self.target,)

    def design(self, table: Table) -> Matrix:
        """m×p out of m rows as they are read: what `Kind.predict` takes.

        Raises UnusableValue for a value that the columns do not map.
        """
        return design_matrix(self.columns, table, self.basis)

    @classmethod
    def of(cls, request: Request, weights: list[float]) -> "BoughtModel":
        """Name the weights, between scaled columns and the intercept last, by the request's features.

        They stay what was trained, the target's own least squares: see `Kind.bought` for what is delivered.
        """
        each = [_named(request, target, weights) for target in range(len(request.outputs))]
        several = request.model.kind in SEVERAL
        one = each[0].model_copy(update={"weights": (), "intercept": None}) if several else each[0]
        return cls(
            name=request.name,
            kind=request.model.kind if several else DEFAULT_KIND,
            features=request.weight_names,
            target=one.target,
            target_kind=one.target_kind,
            target_level=None if several else one.target_level,
            weights=one.weights,
            intercept=one.intercept,
            columns=request.features,
            basis=request.basis,
            outputs=tuple(each) if several else (),
        )


def _named(request: Request, target: int, weights: list[float]) -> TargetWeights:
    """Of one target, out of all weights between scaled columns."""
    size, column = request.output_parameters, request.outputs[target]
    own = to_own_units(weights[target * size :][:size], request.scalings(target))
    intercept = own.pop() if request.model.intercept else None
    return TargetWeights(
        target=column.name,
        target_kind=column.kind,
        target_level=getattr(column, "level", None),
        weights=tuple(own),
        intercept=intercept,
    )
