"""What is seen of a data set's columns while its rows pass, and the parts that are kept of each batch."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from protocol.errors import MisuseError
from protocol.preparation.layout import GAP, LOG, VALUE, KeptColumn, Part
from protocol.preparation.tables import Matrix, Texts, Values
from protocol.preparation.values import LONGEST_LEVEL, MAXIMUM_LEVELS


class Sighting(Protocol):
    """One column, batch after batch."""

    def take(self, values: Values) -> dict[Part, Matrix]:
        """The parts of b rows; one that was not there before was zero."""
        ...

    def kept(self) -> KeptColumn:
        """What was seen: its parts are those to keep."""
        ...


class NumberSighting:
    """Numbers, truth values or dates; with `bounds` what lies outside is brought to the nearest of them."""

    def __init__(
        self, name: str, *, is_date: bool, logs: bool, bounds: tuple[float, float] | None = None
    ) -> None:
        """`logs` keeps the logarithms too, as long as all values are above zero."""
        self._name, self._is_date, self._bounds = name, is_date, bounds
        self._logs = logs and not is_date
        self._gaps = self._clipped = 0
        self._minimum, self._maximum = np.inf, -np.inf
        self._is_boolean = not is_date

    def take(self, values: Values) -> dict[Part, Matrix]:
        """Raises MisuseError for an infinite value."""
        if isinstance(values, Texts):
            raise MisuseError(f"column {self._name!r} holds texts and numbers; make it one or the other")
        gaps = np.isnan(values)
        present = self._within(values[~gaps])
        if len(present):
            self._minimum = min(self._minimum, float(present.min()))
            self._maximum = max(self._maximum, float(present.max()))
            self._is_boolean = self._is_boolean and bool(np.isin(present, (0, 1)).all())
        self._gaps += int(gaps.sum())
        self._logs = self._logs and self._minimum > 0
        parts = {Part(self._name, VALUE): _spread(present, gaps)}
        if self._logs:
            parts[Part(self._name, LOG)] = _spread(np.log(present), gaps)
        if self._gaps:
            parts[Part(self._name, GAP)] = gaps.astype(np.float64)
        return parts

    def _within(self, present: Matrix) -> Matrix:
        if np.isinf(present).any():
            raise MisuseError(f"column {self._name!r} holds an infinite value; fill or drop such rows")
        if self._bounds is None:
            return present
        low, high = self._bounds
        self._clipped += int(np.count_nonzero((present < low) | (present > high)))
        return np.clip(present, low, high)

    def kept(self) -> KeptColumn:
        """The range of the values, or their bounds."""
        if self._minimum > self._maximum:
            raise MisuseError(f"column {self._name!r} has no value in any row; leave it out")
        low, high = (self._minimum, self._maximum) if self._bounds is None else self._bounds
        return KeptColumn(
            name=self._name,
            kind="date" if self._is_date else "boolean" if self._is_boolean else "numeric",
            minimum=low,
            maximum=high,
            gaps=self._gaps,
            clipped=None if self._bounds is None else self._clipped,
            log=self._logs,
        )


class TextSighting:
    """Texts by their levels, until there are too many or one is too long."""

    def __init__(self, name: str) -> None:
        """For a column of this name."""
        self._name = name
        self._levels: dict[str, None] = {}
        self._gaps = 0
        self._is_categorical = True

    def take(self, values: Values) -> dict[Part, Matrix]:
        """An indicator for every level so far."""
        if not isinstance(values, Texts):
            raise MisuseError(f"column {self._name!r} holds texts and numbers; make it one or the other")
        self._gaps += int(np.count_nonzero(values.codes < 0))
        used = [values.levels[code] for code in np.unique(values.codes[values.codes >= 0])]
        self._levels.update(dict.fromkeys(used))
        is_usable = all(0 < len(level) <= LONGEST_LEVEL and level.isprintable() for level in used)
        self._is_categorical = self._is_categorical and is_usable and len(self._levels) <= MAXIMUM_LEVELS
        if not self._is_categorical:
            self._levels.clear()
            return {}
        place = {level: code for code, level in enumerate(values.levels)}
        parts = {
            Part(self._name, VALUE, level): _indicator(values.codes == place.get(level, -2))
            for level in self._levels
        }
        return parts | ({Part(self._name, GAP): _indicator(values.codes < 0)} if self._gaps else {})

    def kept(self) -> KeptColumn:
        """The levels in alphabetical order."""
        if not self._is_categorical:
            return KeptColumn(name=self._name, kind="text", gaps=self._gaps)
        if not self._levels:
            raise MisuseError(f"column {self._name!r} has no value in any row; leave it out")
        levels = tuple(sorted(self._levels))
        return KeptColumn(name=self._name, kind="categorical", levels=levels, gaps=self._gaps)


def _indicator(rows: NDArray[np.bool_]) -> Matrix:
    return np.asarray(rows, dtype=np.float64)


def _spread(present: Matrix, gaps: NDArray[np.bool_]) -> Matrix:
    """The values in their rows, zeros in the gaps."""
    whole = np.zeros(len(gaps))
    whole[~gaps] = present
    return whole
