"""What each ridge penalty of a path came to, and which was chosen: out of published errors alone."""

from collections.abc import Sequence

from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.ridge_path import ridge_index
from protocol.types import FrozenModel
from services.records.chain_history import ChainStory


class Penalty(FrozenModel):
    """One λ of a path, as a decimal's text, and the least error of the rounds that took it.

    The error is in the target's own units, squared; None before its first recorded round. The `chosen` one is
    that of the round whose model is delivered, if no other follows.
    """

    ridge: str
    error: float | None
    chosen: bool


def penalties(request: Request, errors: Sequence[float], delivered: int) -> tuple[Penalty, ...]:
    """Of the errors at the start and after each round, in any unit, and the delivered round's number.

    Empty before the first round, and for a request of one λ.
    """
    model, schedule = request.model, request.schedule
    if len(model.ridges) == 1 or len(errors) < 2:
        return ()
    taken = [ridge_index(model, schedule, number) for number in range(1, len(errors))]
    rounds = list(zip(taken, errors[1:], strict=True))
    chosen = ridge_index(model, schedule, delivered)
    return tuple(
        Penalty(
            ridge=f"{ridge:f}",
            error=min((error for place, error in rounds if place == index), default=None),
            chosen=index == chosen,
        )
        for index, ridge in enumerate(model.ridges)
    )


def penalties_of(request: Request, story: ChainStory) -> tuple[Penalty, ...]:
    """As `penalties`, of what the chain tells."""
    if not story.rounds:
        return ()
    fixed = [story.rounds[0].mse_before, *(recorded.mse_after for recorded in story.rounds)]
    unit = float(request.error_unit) / FIXED_POINT
    return penalties(request, [unit * one for one in fixed], story.delivered_round)


def chosen_ridge(path: Sequence[Penalty]) -> str | None:
    """The chosen λ; None where there was nothing to choose."""
    return next((one.ridge for one in path if one.chosen), None)
