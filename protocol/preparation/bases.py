"""What a request may have owners compute of its columns beside the columns themselves: curves and products.

A linear model of these is a curve of the columns. Each is a function of columns as `columns` prepares them,
brought to [−1, 1] by their declared ranges (u below; what lies beyond counts as the nearest end), and is
itself nowhere beyond [−1, 1]: so bounds and widths are those of any other feature. `curves` computes them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from protocol.preparation.columns import CategoricalColumn, Column, NumericColumn, Parameter, parameters_of
from protocol.request_values import Number
from protocol.types import FrozenModel, Name, Together, repeated

MOST_BASES = 64
"""Of one request; of all their functions each is a weight (`request.MAXIMUM_FEATURES`)."""
MOST_KNOTS = 32
MOST_WAVES = 1024
_MOST_KNOTS_TOGETHER = 512
"""Of all splines."""
_MOST_NAMES = 256
_MOST_NAMES_TOGETHER = 1024
"""Of the columns of all waves."""


def value_parameters(column: Column) -> tuple[Parameter, ...]:
    """Those of the column's values: all but the one for gaps, which comes last."""
    return column.parameters[:-1] if column.missing == "indicator" else column.parameters


class Polynomial(FrozenModel):
    """Legendre's polynomials of a number from degree 2 up: with the column itself, all powers up to `degree`.

    They span what the powers do, and steps of descent settle sooner, since they overlap less.
    """

    kind: Literal["polynomial"]
    column: Name
    degree: Annotated[int, Field(ge=2, le=3)]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it is of."""
        return (self.column,)

    def functions(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """What its weights are called; raises ValueError for a column that is no number."""
        label = _number(self.kind, columns[self.column]).name
        return tuple(f"P{degree}({label})" for degree in range(2, self.degree + 1))

    def count(self, columns: Mapping[str, Column]) -> int:  # noqa: ARG002  as the others
        """How many functions of u."""
        return self.degree - 1


class Spline(FrozenModel):
    """Cubic pieces of a number that meet smoothly at `knots`, in its own units, of a logarithm the values'.

    `natural` bends nowhere at the declared ends, so it is calm where rows are few; `cubic` (B-splines) is
    free there. With the column and the intercept the functions make every such curve, none of them twice.
    """

    kind: Literal["spline"]
    column: Name
    form: Literal["natural", "cubic"] = "natural"
    knots: Annotated[
        tuple[Number, ...], Field(min_length=1, max_length=MOST_KNOTS), Together(_MOST_KNOTS_TOGETHER)
    ]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(left >= right for left, right in zip(self.knots, self.knots[1:], strict=False)):
            raise ValueError(f"spline of {self.column!r}: knots must ascend")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it is of."""
        return (self.column,)

    def functions(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """What its weights are called; raises ValueError for no number, and for knots outside its range."""
        parameter = _number(self.kind, columns[self.column])
        self.places(columns[self.column])
        return tuple(f"spline({parameter.name}) {place}" for place in range(1, self.count(columns) + 1))

    def count(self, columns: Mapping[str, Column]) -> int:  # noqa: ARG002  as the others
        """How many functions of u: one a knot, and two more where the ends are free."""
        return len(self.knots) + (2 if self.form == "cubic" else 0)

    def places(self, column: Column) -> tuple[float, ...]:
        """The knots as u; raises ValueError for one that does not lie within the declared range."""
        low, high = limits_of(_number(self.kind, column))
        is_log = isinstance(column, NumericColumn) and column.log
        if is_log and self.knots[0] <= 0:
            raise ValueError(f"spline of {self.column!r}: knot {self.knots[0]} has no logarithm")
        knots = [knot.ln() if is_log else knot for knot in self.knots]
        places = tuple(float((2 * knot - low - high) / (high - low)) for knot in knots)
        apart = [right - left for left, right in zip((-1.0, *places), (*places, 1.0), strict=True)]
        if min(apart) < _NEAREST:
            raise ValueError(
                f"spline of {self.column!r}: knots must lie between the column's minimum and maximum, and a "
                f"{round(2 / _NEAREST)}th of that range at least from these and each other"
            )
        return places


_NEAREST = 2.0**-9
"""Of two knots, as u: closer ones make functions that differ by less than the rows can tell."""


class Interaction(FrozenModel):
    """Products of two columns: of numbers as u, of levels as 0 and 1, each level with all of the other's."""

    kind: Literal["interaction"]
    columns: Annotated[tuple[Name, ...], Field(min_length=2, max_length=2), Together(2 * MOST_BASES)]

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.columns[0] == self.columns[1]:
            raise ValueError(f"interaction of {self.columns[0]!r} with itself: that is a polynomial")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it is of."""
        return self.columns

    def functions(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """What its weights are called."""
        left, right = (value_parameters(columns[name]) for name in self.columns)
        return tuple(f"{one.name} × {other.name}" for one in left for other in right)

    def count(self, columns: Mapping[str, Column]) -> int:
        """How many products."""
        left, right = (len(value_parameters(columns[name])) for name in self.columns)
        return left * right


class Fourier(FrozenModel):
    """Random waves cos(w·u + b) of some numbers, of a public seed: w normal, of deviation 1/length_scale.

    With weights they approximate any smooth function of these columns, as the kernel exp(−‖u − u′‖²/2ℓ²) does
    (Rahimi, Recht, "Random features for large-scale kernel machines", 2007).
    """

    kind: Literal["fourier"]
    columns: Annotated[
        tuple[Name, ...], Field(min_length=1, max_length=_MOST_NAMES), Together(_MOST_NAMES_TOGETHER)
    ]
    number: Annotated[int, Field(ge=1, le=MOST_WAVES)]
    length_scale: Annotated[Number, Field(ge=Decimal("0.01"), le=100)] = Decimal(1)
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] = 0

    @model_validator(mode="after")
    def _different(self) -> Self:
        twice = repeated(self.columns)
        if twice is not None:
            raise ValueError(f"fourier: column {twice!r} is named twice")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it is of."""
        return self.columns

    def functions(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """What its weights are called; raises ValueError for a column that is no number."""
        for name in self.columns:
            _number(self.kind, columns[name])
        return tuple(f"wave {place} of seed {self.seed}" for place in range(1, self.number + 1))

    def count(self, columns: Mapping[str, Column]) -> int:  # noqa: ARG002  as the others
        """How many waves."""
        return self.number


def _kind(value: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"={kind}"


Basis = Annotated[
    Annotated[Polynomial, Tag("=polynomial")]
    | Annotated[Spline, Tag("=spline")]
    | Annotated[Interaction, Tag("=interaction")]
    | Annotated[Fourier, Tag("=fourier")],
    Discriminator(
        _kind,
        custom_error_type="basis_kind",
        custom_error_message="a basis' kind must be polynomial, spline, interaction or fourier",
    ),
]
"""What a request may declare beside its columns."""


def limits_of(parameter: Parameter) -> tuple[Decimal, Decimal]:
    """From where to where it runs; an indicator from 0 to 1."""
    return parameter.limits or (Decimal(0), Decimal(1))


def all_parameters(columns: Sequence[Column], bases: Sequence[Basis], most: int) -> tuple[Parameter, ...]:
    """What a model's weights belong to, in order: those of the columns, then the functions of each basis.

    Functions stay as they are, like indicators. Raises ValueError for more than `most`, for a column that is
    not there and for one that a basis cannot be of.
    """
    named = {column.name: column for column in columns}
    for basis in bases:
        missing = [name for name in basis.names if name not in named]
        if missing:
            raise ValueError(f"{basis.kind} of {missing[0]!r}: there is no such feature")
    own = parameters_of(columns)
    count = len(own) + sum(basis.count(named) for basis in bases)
    if count > most:  # before they are named: interactions of long vocabularies are many
        raise ValueError(f"the features make {count} weights; at most {most}")
    functions = [Parameter(name, None) for basis in bases for name in basis.functions(named)]
    return (*own, *functions)


def _number(what: str, column: Column) -> Parameter:
    """The parameter of a column that takes more than two values; raises ValueError for another."""
    if isinstance(column, CategoricalColumn) or column.kind == "boolean":
        raise ValueError(
            f"{what} of {column.name!r}: the column is {column.kind}; numbers and dates have curves"
        )
    return column.parameters[0]
