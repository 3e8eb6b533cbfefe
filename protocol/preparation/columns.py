"""The columns that a request may declare, each kind with what a model is made of in its place.

A field that a document leaves at its default is left out of the canonical form, so that documents of earlier
versions keep their hash. Tags of unions begin with "=": no place in a document is named so.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from protocol.preparation.values import (
    MAXIMUM_LEVELS,
    MOST_LEVELS_TOGETHER,
    UNIT_DAYS,
    Day,
    Level,
    days_since_1970,
)
from protocol.request_values import Number
from protocol.scaling import UNSCALED, Scaling
from protocol.types import FrozenModel, Name, Together, repeated

_UNKNOWN_RANGE = Decimal(10) ** 30


class Parameter(NamedTuple):
    """A column of numbers that a weight belongs to, and its declared range; None for an indicator, 0 or 1."""

    name: str
    limits: tuple[Decimal, Decimal] | None

    def scaling(self, *, centered: bool) -> Scaling:
        """To [−1, 1]; an indicator stays as it is, since most of its values are zero."""
        return UNSCALED if self.limits is None else Scaling.of_range(*self.limits, centered=centered)


class NumericFill(FrozenModel):
    """What a missing number counts as."""

    value: Number


class BooleanFill(FrozenModel):
    """What a missing truth value counts as."""

    value: bool


class LevelFill(FrozenModel):
    """The level that a missing one counts as."""

    value: Level


class DayFill(FrozenModel):
    """What a missing date counts as."""

    value: Day


def _missing_tag(value: Any) -> str:
    return "=rule" if isinstance(value, str) else "=fill"


_Rule = Annotated[Literal["refuse", "indicator"], Tag("=rule")]
_MISSING = Discriminator(_missing_tag)


class _Written(FrozenModel):
    """Writes what differs from the defaults alone."""

    name: Name

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in handler(self).items()
            if fields[name].is_required() or getattr(self, name) != fields[name].default
        }


class _Ranged(_Written):
    """What numbers, truth values and dates share: one parameter, and one for gaps where it is asked for."""

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """From where to where the parameter runs."""
        raise NotImplementedError

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the model's weights."""
        gaps = (_gap_parameter(self.name),) if getattr(self, "missing", "refuse") == "indicator" else ()
        return (Parameter(self._label, self.limits), *gaps)

    @property
    def _label(self) -> str:
        return self.name

    @property
    def middle(self) -> float:
        """What a gap with an indicator of its own counts as, in the parameter's units."""
        low, high = self.limits
        return float((low + high) / 2)


class NumericColumn(_Ranged):
    """Numbers within a range, or their logarithms; `clip` takes the nearest end for what lies outside."""

    kind: Literal["numeric"] = "numeric"
    minimum: Number
    maximum: Number
    log: bool = False
    missing: Annotated[_Rule | Annotated[NumericFill, Tag("=fill")], _MISSING] = "refuse"
    outside: Literal["refuse", "clip"] = "refuse"

    @classmethod
    def of_any_range(cls, name: str) -> Self:
        """A column whose range nobody has told."""
        return cls(name=name, minimum=-_UNKNOWN_RANGE, maximum=_UNKNOWN_RANGE)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.minimum < self.maximum:
            raise ValueError(f"column {self.name!r}: minimum must be below maximum")
        if self.log and self.minimum <= 0:
            raise ValueError(f"column {self.name!r}: log needs a minimum above zero, which has no logarithm")
        fill = self.missing.value if isinstance(self.missing, NumericFill) else self.minimum
        if not self.minimum <= fill <= self.maximum:
            raise ValueError(f"column {self.name!r}: missing.value must lie between minimum and maximum")
        return self

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """The declared range, or that of the logarithms."""
        return (self.minimum.ln(), self.maximum.ln()) if self.log else (self.minimum, self.maximum)

    @property
    def fill(self) -> float | None:
        """What a gap counts as, in the parameter's units; None where gaps are refused."""
        if isinstance(self.missing, NumericFill):
            return float(self.missing.value.ln() if self.log else self.missing.value)
        return None if self.missing == "refuse" else self.middle

    @property
    def _label(self) -> str:
        return f"log({self.name})" if self.log else self.name


class BooleanColumn(_Ranged):
    """Truth values, false and true as 0 and 1; with `level` texts, of which this level alone counts as 1."""

    kind: Literal["boolean"]
    level: Level | None = None
    missing: Annotated[_Rule | Annotated[BooleanFill, Tag("=fill")], _MISSING] = "refuse"

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """Zero and one."""
        return Decimal(0), Decimal(1)

    @property
    def minimum(self) -> Decimal:
        """Zero."""
        return Decimal(0)

    @property
    def maximum(self) -> Decimal:
        """One."""
        return Decimal(1)

    @property
    def fill(self) -> float | None:
        """What a gap counts as; None where gaps are refused."""
        if isinstance(self.missing, BooleanFill):
            return float(self.missing.value)
        return None if self.missing == "refuse" else self.middle


class DateColumn(_Ranged):
    """Dates within a range, as the number of `unit`s since `origin`."""

    kind: Literal["date"]
    minimum: Day
    maximum: Day
    unit: Literal["days", "weeks", "months", "years"] = "days"
    origin: Day = "1970-01-01"
    missing: Annotated[_Rule | Annotated[DayFill, Tag("=fill")], _MISSING] = "refuse"
    outside: Literal["refuse", "clip"] = "refuse"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.minimum < self.maximum:
            raise ValueError(f"column {self.name!r}: minimum must be before maximum")
        fill = self.missing.value if isinstance(self.missing, DayFill) else self.minimum
        if not self.minimum <= fill <= self.maximum:
            raise ValueError(f"column {self.name!r}: missing.value must lie between minimum and maximum")
        return self

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """The declared range in `unit`s since `origin`."""
        return self.number(self.minimum), self.number(self.maximum)

    @property
    def fill(self) -> float | None:
        """What a gap counts as, in the parameter's units; None where gaps are refused."""
        if isinstance(self.missing, DayFill):
            return float(self.number(self.missing.value))
        return None if self.missing == "refuse" else self.middle

    def number(self, day: str) -> Decimal:
        """A date in `unit`s since `origin`."""
        return Decimal(days_since_1970(day) - days_since_1970(self.origin)) / UNIT_DAYS[self.unit]


class CategoricalColumn(_Written):
    """Texts out of a declared vocabulary: an indicator for each level but the reference.

    `other: level` gives all levels outside the vocabulary one indicator together.
    """

    kind: Literal["categorical"]
    levels: Annotated[
        tuple[Level, ...],
        Field(min_length=1, max_length=MAXIMUM_LEVELS, fail_fast=True),
        Together(MOST_LEVELS_TOGETHER),
    ]
    reference: Level | None = None
    other: Literal["refuse", "level"] = "refuse"
    missing: Annotated[_Rule | Annotated[LevelFill, Tag("=fill")], _MISSING] = "refuse"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = repeated(self.levels)
        if twice is not None:
            raise ValueError(f"column {self.name!r}: level {twice!r} is named twice")
        fill = self.missing.value if isinstance(self.missing, LevelFill) else self.levels[0]
        for field, level in (("reference", self.reference), ("missing.value", fill)):
            if level is not None and level not in self.levels:
                raise ValueError(f"column {self.name!r}: {field} {level!r} is none of its levels")
        if not self.parameters:
            raise ValueError(f"column {self.name!r}: one level tells nothing; name two, or other: level")
        return self

    @property
    def left_out(self) -> str:
        """The level without a parameter, with which the others are compared: by default the first."""
        return self.levels[0] if self.reference is None else self.reference

    @property
    def indicated(self) -> tuple[str, ...]:
        """The levels with a parameter."""
        return tuple(level for level in self.levels if level != self.left_out)

    @property
    def fill(self) -> str | None:
        """The level that a gap counts as; None where gaps are refused or have an indicator."""
        return self.missing.value if isinstance(self.missing, LevelFill) else None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the model's weights."""
        levels = [Parameter(f"{self.name}={level}", None) for level in self.indicated]
        others = [Parameter(f"{self.name} is other", None)] if self.other == "level" else []
        gaps = [_gap_parameter(self.name)] if self.missing == "indicator" else []
        return (*levels, *others, *gaps)


def _gap_parameter(name: str) -> Parameter:
    return Parameter(f"{name} is missing", None)


def _kind(value: Any) -> Any:
    """Documents of earlier versions know numbers alone, and do not say so."""
    kind = value.get("kind", "numeric") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"={kind}"


Column = Annotated[
    Annotated[NumericColumn, Tag("=numeric")]
    | Annotated[BooleanColumn, Tag("=boolean")]
    | Annotated[CategoricalColumn, Tag("=categorical")]
    | Annotated[DateColumn, Tag("=date")],
    Discriminator(
        _kind,
        custom_error_type="column_kind",
        custom_error_message="a column's kind must be numeric, boolean, categorical or date",
    ),
]
"""What a request may declare of a column."""

TargetColumn = Annotated[
    Annotated[NumericColumn, Tag("=numeric")] | Annotated[BooleanColumn, Tag("=boolean")],
    Discriminator(
        _kind, custom_error_type="column_kind", custom_error_message="a target must be numeric or boolean"
    ),
]
"""A column of numbers that a model may predict."""

DeclaredTarget = Annotated[
    Annotated[NumericColumn, Tag("=numeric")]
    | Annotated[BooleanColumn, Tag("=boolean")]
    | Annotated[CategoricalColumn, Tag("=categorical")],
    Discriminator(
        _kind,
        custom_error_type="column_kind",
        custom_error_message="a target must be numeric or boolean, or categorical of several classes",
    ),
]
"""What a request may declare as its target: the levels of texts are several classes."""


def parameters_of(columns: Sequence[Column]) -> tuple[Parameter, ...]:
    """What the weights of a model of these columns belong to, in order."""
    return tuple(parameter for column in columns for parameter in column.parameters)


def kind_held(column: Column) -> str:
    """The kind of what rows have there: of a truth value that is one of several levels, texts."""
    return "categorical" if isinstance(column, BooleanColumn) and column.level is not None else column.kind
