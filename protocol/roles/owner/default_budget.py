"""How many numbers may be published by default: fewer than the unknowns that they are equations about."""

from protocol.learning.kinds.registry import kind_of
from protocol.links import FITTED
from protocol.request import Request

FEWEST_OWNERS = 4
"""Of any training: the unknowns counted on do not grow with owners whom a buyer may have made up."""


def safe_in_total(request: Request) -> int:
    """One number less than the unknowns of these columns at the fewest owners that a training has.

    All that a data set ever published counts against it, whichever columns it was about, so that no choice of
    columns, curves, buyers or owners gets more equations than unknowns about any of them.
    """
    return FEWEST_OWNERS * _unknowns(request) - 1


def _unknowns(request: Request) -> int:
    """Of one owner: what its columns' own statistic leaves open, and never more than its rows have values.

    Curves and products are functions of these same values: with a basis a statistic has more entries, and
    none of them is another unknown.
    """
    straight = request.model_copy(update={"basis": ()})
    values = request.bounds.min_rows * len(request.columns)
    return min(kind_of(straight).statistic_entries(straight) - _known_entries(straight), values)


def _known_entries(request: Request) -> int:
    """Entries that follow from others whatever the rows are.

    Of one column two indicators are never both 1, a value in a gap is the one declared, and with an intercept
    an indicator's square is its mean. So it is with a target of truth values where rows have no weights. Of
    several classes the last one's products with the features are what the others leave of the features' own.
    """
    counts = [len(column.parameters) for column in request.features]
    pairs = sum(count * (count - 1) // 2 for count in counts)
    if not request.model.intercept:
        return pairs
    numbers = sum(column.kind in ("numeric", "date") for column in request.features)
    is_truth = all(one.kind == "boolean" for one in request.outputs) and request.model.kind not in FITTED
    last_class = request.output_parameters if request.model.kind == "several_classes" else 0
    return pairs + sum(counts) - numbers + int(is_truth) + last_class


def safe_per_buyer(request: Request) -> int:
    """Half of `safe_in_total`: a buyer is nobody's only buyer, and knows its models besides."""
    return safe_in_total(request) // 2
