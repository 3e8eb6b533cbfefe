"""What ended a training, and whether another round would still have gained: out of published errors alone."""

from collections.abc import Sequence
from typing import Literal

from protocol.request import Request
from protocol.request_schedule import Schedule
from protocol.types import FrozenModel
from services.records.chain_history import ChainStory

_LEAST_TOLERANCE = float(Schedule().tolerance)
"""Where a request has none, gains below the default tolerance are those of a model that has converged."""


class Convergence(FrozenModel):
    """How far the rounds have come; gains are shares of an error, 0.1 for a tenth of it.

    `ended` by the tolerance, by the number of rounds that was agreed, or early, before either. `last_gain` is
    what the last round took off the error before it, below zero when the error grew. `next_gain` estimates
    what another round would take off the last error: the last improvement once more, shrunken as it had
    shrunken against the one before. None where there were not two improvements to compare.
    """

    ended: Literal["running", "tolerance", "rounds", "early"]
    rounds: int
    agreed: int
    tolerance: float
    last_gain: float
    next_gain: float | None

    @property
    def least_gain(self) -> float:
        """What a round must gain for another to matter."""
        return max(self.tolerance, _LEAST_TOLERANCE)

    @property
    def has_converged(self) -> bool:
        """Whether the last round changed too little for another to matter, or another would."""
        expected = self.last_gain if self.next_gain is None else self.next_gain
        return min(abs(self.last_gain), abs(expected)) < self.least_gain


def convergence(
    request: Request, errors: Sequence[float], *, last: bool, over: bool = False
) -> Convergence | None:
    """Of the errors at the start and after each round from it, in any unit; None before the first round.

    `last` is whether the last round was recorded as such, `over` whether the training has ended.
    """
    if len(errors) < 2:
        return None
    rounds, schedule = len(errors) - 1, request.schedule
    ended: Literal["running", "tolerance", "rounds", "early"] = "early" if over else "running"
    if rounds >= schedule.fold_rounds:
        ended = "rounds"
    elif last:
        ended = "tolerance"
    return Convergence(
        ended=ended,
        rounds=rounds,
        agreed=schedule.fold_rounds,
        tolerance=float(schedule.tolerance),
        last_gain=_share(errors[-2] - errors[-1], errors[-2]),
        next_gain=_next_gain(errors),
    )


def convergence_of(request: Request, story: ChainStory) -> Convergence | None:
    """As `convergence`, of what the chain tells; with folds of the last one."""
    rounds = story.last_fold(request)
    if not rounds:
        return None
    errors = [rounds[0].mse_before, *(recorded.mse_after for recorded in rounds)]
    return convergence(request, errors, last=story.rounds[-1].last, over=story.settled is not None)


def _next_gain(errors: Sequence[float]) -> float | None:
    """The next term of the geometric series of the last two improvements; growing ones stay as they are."""
    if len(errors) < 3:
        return None
    before, last = errors[-3] - errors[-2], errors[-2] - errors[-1]
    if before <= 0 or last <= 0:
        return None
    return _share(last * min(last / before, 1.0), errors[-1])


def _share(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole else 0.0
