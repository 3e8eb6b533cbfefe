"""What folds say about models like the one that is delivered: mean and spread of their errors.

Each fold's model is measured on owners that had no part in it. The folds share most of their trainers, so
their errors are not independent: the deviation says how much they differ, it is no standard error.
"""

from collections.abc import Sequence
from statistics import fmean, stdev

from protocol.payment import PaidRound, rounds_of_folds
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.types import FrozenModel
from services.records.chain_history import ChainStory


class FoldErrors(FrozenModel):
    """Of so many `asked` folds each one's error that is over, in the target's own units squared, in order.

    Of the fold's model that is delivered or would be; of kinds with a link the mean deviance. `deviation` is
    that of the sample, over K − 1; None of a single fold.
    """

    asked: int
    errors: tuple[float, ...]
    mean: float
    deviation: float | None


def fold_errors(request: Request, rounds: Sequence[PaidRound]) -> FoldErrors | None:
    """Of all recorded rounds, in order; None without folds, and before the first of them is over."""
    schedule, unit = request.schedule, float(request.error_unit)
    if schedule.folds == 1:
        return None
    over = [fold for fold in rounds_of_folds(schedule, rounds) if len(fold) == schedule.fold_rounds]
    kept = [next(one for one in reversed(fold) if one.delivers) for fold in over]
    errors = tuple(unit * one.mse_after / FIXED_POINT for one in kept)
    if not errors:
        return None
    deviation = stdev(errors) if len(errors) > 1 else None
    return FoldErrors(asked=schedule.folds, errors=errors, mean=fmean(errors), deviation=deviation)


def fold_errors_of(request: Request, story: ChainStory) -> FoldErrors | None:
    """As `fold_errors`, of what the chain tells."""
    return fold_errors(request, story.rounds)
