"""One pass over an owner's rows for the squares of Xθ − y, of requests whose curves no statistic has."""

from collections.abc import Callable, Iterable

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.statistic import Fitted, Matrix, triangular
from protocol.request import Request


def squares(request: Request, batches: Callable[[], Iterable[tuple[Matrix, Matrix]]]) -> Fitted:
    """R/√m of [X 1 y] in the request's scale, (p+1)×(p+1), twice: the owner descends on what it measures.

    `batches` gives scaled columns with the ones last (b×p) and the plain target (b). Raises MisuseError where
    there are no rows.
    """
    center, half = map(float, request.scalings()[-1])
    factor, rows = np.zeros((request.parameters + 1, request.parameters + 1)), 0
    for columns, truth in batches():
        block = np.column_stack([columns, (truth - center) / half])
        factor = triangular(np.vstack([factor, block]))
        rows += len(truth)
    if not rows:
        raise MisuseError("the data set has no rows; at least one is needed")
    factor = factor / np.sqrt(rows)
    return Fitted(training=factor, measuring=factor)
