"""What an owner's statistic is made over: parts of each column, of which every request's columns are sums."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from protocol.preparation.moments import day_of
from protocol.preparation.values import LONGEST_LEVEL, MAXIMUM_LEVELS
from protocol.types import FrozenModel

VALUE, LOG, GAP = "value", "log", "gap"


class Part(NamedTuple):
    """A column of numbers: the value or its logarithm (0 in gaps), 1 in gaps, or 1 where a level stands."""

    column: str
    what: str
    level: str = ""


class KeptColumn(FrozenModel):
    """A column of a data set, and which parts of it the statistic has.

    `minimum` and `maximum` are of its values, dates in days since 1970-01-01, or where `clipped` is a number
    the bounds to which so many were brought; `gaps` are rows without a value. A column of `text` has too many
    values for levels and cannot be asked for.
    """

    name: str
    kind: Literal["numeric", "boolean", "date", "categorical", "text"] = "numeric"
    minimum: float | None = None
    maximum: float | None = None
    gaps: Annotated[int, Field(ge=0)] = 0
    clipped: Annotated[int, Field(ge=0)] | None = None
    log: bool = False
    levels: Annotated[
        tuple[Annotated[str, Field(max_length=LONGEST_LEVEL)], ...], Field(max_length=MAXIMUM_LEVELS)
    ] = ()

    @property
    def ends(self) -> tuple[str, str] | None:
        """The range as people read it, of dates as such; None for texts."""
        if self.minimum is None or self.maximum is None:
            return None
        if self.kind == "date":
            return day_of(self.minimum), day_of(self.maximum)
        return f"{self.minimum:g}", f"{self.maximum:g}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """In the order in which the statistic has them."""
        if self.kind == "text":
            return ()
        levels = [Part(self.name, VALUE, level) for level in self.levels]
        numbers = [] if self.kind == "categorical" else [Part(self.name, VALUE)]
        logs = [Part(self.name, LOG)] if self.log else []
        gaps = [Part(self.name, GAP)] if self.gaps else []
        return (*numbers, *logs, *levels, *gaps)


def parts_of(columns: Sequence[KeptColumn]) -> tuple[Part, ...]:
    """All columns of a statistic but the ones, which come last."""
    return tuple(part for column in columns for part in column.parts)
