"""One pass over an owner's rows for the squares of Xθ − y, of requests whose curves no statistic has."""

from collections.abc import Callable, Iterable

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.several import expanded
from protocol.learning.statistic import Fitted, Matrix, triangular
from protocol.request import Request


def squares(request: Request, batches: Callable[[], Iterable[tuple[Matrix, Matrix]]]) -> Fitted:
    """R/√m of [X 1 y] in the request's scale, (p+1)×(p+1), twice: the owner descends on what it measures.

    Of K targets that of all their weights and of the mean of their errors, (Kp+1)×(Kp+1) (`several`).
    `batches` gives scaled columns with the ones last (b×p) and the plain target (b, or b×K). Raises
    MisuseError where there are no rows.
    """
    targets = len(request.outputs)
    size = request.output_parameters + targets
    scalings = [request.scalings(target)[-1] for target in range(targets)]
    centers, halves = (np.array([float(one[place]) for one in scalings]) for place in (0, 1))
    factor, rows = np.zeros((size, size)), 0
    for columns, truth in batches():
        block = np.column_stack([columns, (truth.reshape(-1, targets) - centers) / halves])
        factor = triangular(np.vstack([factor, block]))
        rows += len(truth)
    if not rows:
        raise MisuseError("the data set has no rows; at least one is needed")
    factor = factor / np.sqrt(rows)
    if targets > 1:
        factor = expanded(factor, targets) / np.sqrt(targets)
    return Fitted(training=factor, measuring=factor)
