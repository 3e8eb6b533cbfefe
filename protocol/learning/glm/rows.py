"""An owner's rows as a request's scaled columns, checked against what its statistic says of them.

A statistic is made once, and a generalized linear model, or one of curves, reads the rows again: they must
be the same ones still, since the card that the owner was admitted with, and with it all bounds, is of those.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from protocol.errors import MisuseError, UnusableValue
from protocol.learning.statistic import Matrix, Statistic
from protocol.preparation.design import design_matrix
from protocol.preparation.layout import KeptColumn
from protocol.preparation.tables import Table, Texts, Values, row_count
from protocol.request import Request

Tables = Callable[[], Iterable[Table]]
"""Gives the rows again each time, in batches."""

Batches = Callable[[], Iterable[tuple[Matrix, Matrix]]]
"""Gives a request's rows again each time: scaled columns X, the ones last (b×p), and the plain target (b).

Several targets, or a target with its events, are b×K.
"""

_ROUNDING = 2.0**-20
"""How far beyond [−1, 1] a scaled value may be: `Scaling.is_exact` allows as much."""


def scaled_batches(
    request: Request, statistic: Statistic, tables: Tables
) -> Callable[[], Iterator[tuple[Matrix, Matrix]]]:
    """Batches of X between scaled columns with the ones last, b×p, and of the target as it is, b or b×K.

    Of times until an event, b×2: the events stand beside them. While they are read MisuseError is raised for
    rows that are not those of `statistic`: another number of them, or values outside its columns' ranges,
    which are clipped where the owner had that done.
    """

    def batches() -> Iterator[tuple[Matrix, Matrix]]:
        count = 0
        for table in tables():
            count += row_count(table)
            yield _scaled(request, _as_added(request, statistic, table))
        if count != statistic.rows:
            raise MisuseError(
                f"there are {count} rows now and were {statistic.rows} when they were added: add them again"
            )

    return batches


def _as_added(request: Request, statistic: Statistic, table: Table) -> Table:
    wanted = [column.name for column in request.columns]
    return {name: _within(statistic.column(name), name, table[name]) for name in wanted}


def _within(kept: KeptColumn | None, name: str, values: Values) -> Values:
    if kept is None:
        raise MisuseError(f"the data set has no column {name!r}")
    if isinstance(values, Texts) or kept.minimum is None or kept.maximum is None:
        return values
    if kept.clipped is not None:
        return np.clip(values, kept.minimum, kept.maximum)
    if ((values < kept.minimum) | (values > kept.maximum)).any():
        raise MisuseError(f"column {name!r} has other values than when it was added: add the rows again")
    return values


def _scaled(request: Request, table: Table) -> tuple[Matrix, Matrix]:
    try:
        columns = design_matrix(request.features, table, request.basis)
        targets = design_matrix([*request.outputs, *request.model.events], table)
    except UnusableValue as error:
        raise MisuseError(f"column {error.column!r} {error.reason}") from None
    scalings = request.scalings()[:-1]
    centers, halves = (np.array([float(one[place]) for one in scalings]) for place in (0, 1))
    scaled = (columns - centers) / halves
    if (np.abs(scaled) > 1 + _ROUNDING).any():
        raise MisuseError("a feature is outside the range that the request declares")
    features = np.column_stack([np.clip(scaled, -1, 1), np.ones(len(scaled))])
    is_single = len(request.outputs) == 1 and not request.model.events
    return features, targets[:, 0] if is_single else targets
