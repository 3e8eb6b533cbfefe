"""A data set as one triangular factor, however many rows it has.

TSQR: R ← qr([R; batch]) over the batches of [all columns, 1], then divided by √m (Demmel, Grigori, Hoemmen,
Langou, "Communication-optimal parallel and sequential QR and LU factorizations", 2012). XᵀX/m and Xᵀy/m are
blocks of RᵀR, and the RMS residual of θ is ‖R·(θ, −1)‖ exactly, so a training needs nothing else of the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from protocol.errors import MisuseError
from protocol.scaling import Scaling

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """R/√m of [columns, 1] ((k+1)×(k+1), upper triangular), m, the columns' ranges. Private: no repr."""

    columns: tuple[str, ...]
    rows: int
    factor: Matrix = field(repr=False)
    minimum: Matrix = field(repr=False)
    maximum: Matrix = field(repr=False)

    def to_bytes(self) -> bytes:
        """Bytes for the owner's own store."""
        buffer = BytesIO()
        np.savez(
            buffer,
            columns=np.array(self.columns, dtype=np.str_),
            rows=np.array(self.rows),
            factor=self.factor,
            ranges=np.array([self.minimum, self.maximum]),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Statistic":
        """The statistic from `to_bytes`."""
        with np.load(BytesIO(content), allow_pickle=False) as parts:
            return cls(
                columns=tuple(str(name) for name in parts["columns"]),
                rows=int(parts["rows"]),
                factor=parts["factor"],
                minimum=parts["ranges"][0],
                maximum=parts["ranges"][1],
            )


def triangular(matrix: Matrix) -> Matrix:
    """The R of matrix = QR."""
    return np.asarray(np.linalg.qr(matrix, mode="r"), dtype=np.float64)


class StatisticBuilder:
    """Takes batches of rows and forgets them."""

    def __init__(self, columns: Sequence[str]) -> None:
        """For these k columns; raises MisuseError for none or for a name that comes twice."""
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        if twice or not columns:
            raise MisuseError(f"column {twice[0]!r} comes twice" if twice else "there is no column")
        self._columns = tuple(columns)
        size = len(self._columns) + 1
        self._factor: Matrix = np.zeros((0, size))
        self._rows = 0
        self._minimum = np.full(len(self._columns), np.inf)
        self._maximum = np.full(len(self._columns), -np.inf)

    def add(self, batch: Matrix) -> None:
        """Take b rows (b×k); raises MisuseError for another width, nan or inf, naming the column."""
        if batch.ndim != 2 or batch.shape[1] != len(self._columns):
            raise MisuseError(f"a batch of shape {batch.shape}; {len(self._columns)} columns expected")
        if not len(batch):
            return
        bad = ~np.isfinite(batch).all(axis=0)
        if bad.any():
            name = self._columns[int(np.argmax(bad))]
            raise MisuseError(f"column {name!r} holds a missing or infinite value; fill or drop such rows")
        self._minimum = np.minimum(self._minimum, batch.min(axis=0))
        self._maximum = np.maximum(self._maximum, batch.max(axis=0))
        block = np.column_stack([batch, np.ones(len(batch))])
        self._factor = triangular(np.vstack([self._factor, block]))
        self._rows += len(batch)

    def finish(self) -> Statistic:
        """The statistic of all rows so far; raises MisuseError when there were none."""
        if not self._rows:
            raise MisuseError("the data set has no rows; at least one is needed")
        size = len(self._columns) + 1
        square = np.zeros((size, size))
        square[: len(self._factor)] = self._factor / np.sqrt(self._rows)
        return Statistic(self._columns, self._rows, square, self._minimum, self._maximum)


def scaled(factor: Matrix, scalings: Sequence[Scaling]) -> Matrix:
    """R/√m of [X (1) y] with every column scaled, (p+1)×(p+1), out of that of the columns as they are.

    Scaling is linear in [X, 1, y], so the rows need not be read again. `scalings` are the features' and the
    target's; without an intercept every center must be zero.
    """
    columns = factor.copy()
    has_intercept = len(factor) > len(scalings)
    places = [*range(len(scalings) - 1), len(factor) - 1]
    for place, column in zip(places, scalings, strict=True):
        if has_intercept:
            columns[:, place] -= float(column.center) * factor[:, -2]
        columns[:, place] /= float(column.half)
    return triangular(columns)


def select(statistic: Statistic, features: Sequence[str], target: str, *, intercept: bool) -> Matrix:
    """R/√m of [X (1) y], (p+1)×(p+1), for these features and this target.

    The factor of chosen columns is the factor of the full factor's columns, so one pass over the rows serves
    every request. Raises MisuseError for a column that the data set lacks.
    """
    position = {name: index for index, name in enumerate(statistic.columns)}
    missing = [name for name in (*features, target) if name not in position]
    if missing:
        raise MisuseError(f"the data set has no column {missing[0]!r}; it has {', '.join(statistic.columns)}")
    chosen = [position[name] for name in features]
    if intercept:
        chosen.append(len(statistic.columns))
    chosen.append(position[target])
    size = len(chosen)
    factor = np.zeros((size, size))
    reduced = triangular(statistic.factor[:, chosen])
    factor[: len(reduced)] = reduced
    return factor
