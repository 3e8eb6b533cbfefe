"""A data set as one triangular factor, however many rows it has.

TSQR: R ← qr([R; batch]) over the batches of [parts of all columns, 1], then divided by √m (Demmel, Grigori,
Hoemmen, Langou, "Communication-optimal parallel and sequential QR and LU factorizations", 2012). XᵀX/m and
Xᵀy/m are blocks of RᵀR, and the RMS residual of θ is ‖R·(θ, −1)‖ exactly, so a training needs nothing else of
the rows. What the parts of a column are says `preparation.layout`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from protocol.errors import MisuseError
from protocol.preparation.columns import Column
from protocol.preparation.combination import combination
from protocol.preparation.layout import KeptColumn, Part, parts_of
from protocol.preparation.sighting import NumberSighting, Sighting, TextSighting
from protocol.preparation.tables import Table, ValueKind, row_count
from protocol.scaling import Scaling
from protocol.types import repeated

Matrix = NDArray[np.float64]
MOST_PARTS = 8192
"""Of one statistic: its factor then takes half a gigabyte."""

_COLUMNS = TypeAdapter(tuple[KeptColumn, ...])


@dataclass(frozen=True, repr=False, eq=False)
class Fitted:
    """Two quadratics ‖R(θ, −1)‖² of one request's rows, (p+1)×(p+1) each. As private as the rows: no repr."""

    training: Matrix
    measuring: Matrix

    def __repr__(self) -> str:
        """Nothing that was computed from rows."""
        return f"Fitted(parameters={len(self.training) - 1})"


@dataclass(frozen=True, repr=False)
class Statistic:
    """R/√m of [k parts, 1] ((k+1)×(k+1), upper triangular), m, and what each column is. Private: no repr.

    `fitted` is in a training's copy alone, for requests with which the rows are read again.
    """

    kept: tuple[KeptColumn, ...]
    rows: int
    factor: Matrix
    fitted: Fitted | None = None

    def __repr__(self) -> str:
        """Nothing that was computed from rows."""
        return f"Statistic(columns={self.columns!r}, rows={self.rows})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(column.name for column in self.kept)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What `factor` is of, the ones that come last left out."""
        return parts_of(self.kept)

    def column(self, name: str) -> KeptColumn | None:
        """One column, if it is there."""
        return next((one for one in self.kept if one.name == name), None)

    def quadratics(self) -> Fitted:
        """`fitted`; raises MisuseError where the rows were not read for the request."""
        if self.fitted is None:
            raise MisuseError("the rows were not fitted for this request: read them again with it")
        return self.fitted

    def to_bytes(self) -> bytes:
        """Bytes for the owner's own store."""
        buffer = BytesIO()
        kept = np.frombuffer(_COLUMNS.dump_json(self.kept), dtype=np.uint8)
        fitted = {} if self.fitted is None else vars(self.fitted)
        np.savez(buffer, kept=kept, rows=np.array(self.rows), factor=self.factor, **fitted)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Statistic":
        """The statistic from `to_bytes`, also of earlier versions, which knew numbers alone."""
        with np.load(BytesIO(content), allow_pickle=False) as content_parts:
            found = dict(content_parts)
        if "kept" in found:
            kept = _COLUMNS.validate_json(found["kept"].tobytes())
        else:
            ranges = zip(found["columns"], *found["ranges"].tolist(), strict=True)
            kept = tuple(KeptColumn(name=str(name), minimum=low, maximum=high) for name, low, high in ranges)
        fitted = Fitted(found["training"], found["measuring"]) if "training" in found else None
        return cls(kept=kept, rows=int(found["rows"]), factor=found["factor"], fitted=fitted)


def triangular(matrix: Matrix) -> Matrix:
    """The R of matrix = QR."""
    return np.asarray(np.linalg.qr(matrix, mode="r"), dtype=np.float64)


class StatisticBuilder:
    """Takes batches of rows and forgets them.

    A part that a later batch brings, as a level that stands there first, was zero in all rows before: so one
    pass is enough.
    """

    def __init__(
        self,
        columns: Sequence[str] | Mapping[str, ValueKind],
        *,
        logs: bool = False,
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """For these columns, of numbers where no kinds are told.

        With `logs` the logarithms of columns above zero are kept too; `bounds` brings a column's values
        outside them to the nearest. Raises MisuseError for no column or for a name that comes twice.
        """
        names = list(columns)
        twice = repeated(names)
        if twice is not None or not names:
            raise MisuseError(f"column {twice!r} comes twice" if names else "there is no column")
        kinds = columns if isinstance(columns, Mapping) else dict.fromkeys(names, "number")
        bounds = bounds or {}
        self._seen: dict[str, Sighting] = {
            name: TextSighting(name)
            if kind == "text"
            else NumberSighting(name, is_date=kind == "date", logs=logs, bounds=bounds.get(name))
            for name, kind in kinds.items()
        }
        self._places: dict[Part | None, int] = {None: 0}
        self._factor: Matrix = np.zeros((0, 1))
        self._rows = 0

    def add(self, batch: Matrix | Table) -> None:
        """Take b rows; a matrix (b×k) holds numbers without gaps, a table may have gaps.

        Raises MisuseError for another width, an infinite value, and in a matrix nan, naming the column.
        """
        table = self._named(batch) if isinstance(batch, np.ndarray) else batch
        count = row_count(table)
        if not count:
            return
        parts: dict[Part, Matrix] = {}
        for name, sighting in self._seen.items():
            parts |= sighting.take(table[name])
        for part in parts:
            self._places.setdefault(part, len(self._places))
        size = len(self._places)
        if size > MOST_PARTS + 1:
            raise MisuseError(
                f"the columns make more than {MOST_PARTS} columns of numbers; choose fewer of them by name"
            )
        block = np.zeros((len(self._factor) + count, size))
        block[: len(self._factor), : self._factor.shape[1]] = self._factor
        block[len(self._factor) :, 0] = 1.0
        for part, values in parts.items():
            block[len(self._factor) :, self._places[part]] = values
        self._factor = triangular(block)
        self._rows += count

    def _named(self, batch: Matrix) -> Table:
        if batch.ndim != 2 or batch.shape[1] != len(self._seen):
            raise MisuseError(f"a batch of shape {batch.shape}; {len(self._seen)} columns expected")
        bad = ~np.isfinite(batch).all(axis=0)
        if bad.any():
            name = list(self._seen)[int(np.argmax(bad))]
            raise MisuseError(f"column {name!r} holds a missing or infinite value; fill or drop such rows")
        return dict(zip(self._seen, batch.T, strict=True))

    def finish(self) -> Statistic:
        """The statistic of all rows so far; raises MisuseError when there were none, or none with a value."""
        if not self._rows:
            raise MisuseError("the data set has no rows; at least one is needed")
        kept = tuple(sighting.kept() for sighting in self._seen.values())
        chosen = [self._places[part] for part in (*parts_of(kept), None)]
        return Statistic(kept, self._rows, _square(self._factor[:, chosen]) / np.sqrt(self._rows))


def _square(matrix: Matrix) -> Matrix:
    """R of [X y] as (n×n), with rows of zeros where there were fewer rows than columns."""
    size = matrix.shape[1]
    square = np.zeros((size, size))
    reduced = triangular(matrix)
    square[: len(reduced)] = reduced
    return square


def scaled(factor: Matrix, scalings: Sequence[Scaling], targets: int = 1) -> Matrix:
    """R/√m of [X (1) Y] with every column scaled, (p+K)×(p+K), out of that of the columns as they are.

    Scaling is linear in [X, 1, Y], so the rows need not be read again. `scalings` are the features' and the
    K targets'; without an intercept every center must be zero.
    """
    columns = factor.copy()
    has_intercept = len(factor) > len(scalings)
    ones = len(factor) - targets - 1
    places = [*range(len(scalings) - targets), *range(ones + 1, len(factor))]
    for place, column in zip(places, scalings, strict=True):
        if has_intercept:
            columns[:, place] -= float(column.center) * factor[:, ones]
        columns[:, place] /= float(column.half)
    return triangular(columns)


def select(
    statistic: Statistic, features: Sequence[Column], targets: Sequence[Column], *, intercept: bool
) -> Matrix:
    """R/√m of [X (1) Y], (p+K)×(p+K), for the parameters of these features and K targets, in own units.

    The factor of sums of columns is the factor's sums of columns, so one pass over the rows serves every
    request. Raises MisuseError for a column that the data set lacks.
    """
    missing = [one.name for one in (*features, *targets) if statistic.column(one.name) is None]
    if missing:
        raise MisuseError(f"the data set has no column {missing[0]!r}; it has {', '.join(statistic.columns)}")
    sums = combination([*features, *targets], statistic.parts)
    if intercept:
        ones = np.zeros((len(sums), 1))
        ones[-1] = 1.0
        sums = np.column_stack([sums[:, : -len(targets)], ones, sums[:, -len(targets) :]])
    return _square(statistic.factor @ sums)
