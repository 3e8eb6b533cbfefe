"""What a model of all trainers' rows together would reach: only a market in one process can tell."""

from collections.abc import Callable, Mapping

from protocol.data_set import DataSet
from protocol.learning import plaintext
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData
from protocol.request import Request
from protocol.requirements import mismatches
from services.records.chain_history import ChainStory

PooledError = Callable[[Request, ChainStory], float | None]


def fitted(request: Request, data_set: DataSet) -> DataSet:
    """With the fit of its rows, where the kind of model needs one and they are in memory."""
    statistic = data_set.statistic
    if not kind_of(request).reads_rows or statistic.fitted is not None or data_set.tables is None:
        return data_set
    return data_set._replace(statistic=with_fit(request, statistic, data_set.tables))


def owner_data(request: Request, data_set: DataSet, *, measuring: bool = True) -> OwnerData:
    """An owner's factor for a request, in the request's scales: it measures with one and trains with one."""
    statistic, kind = fitted(request, data_set).statistic, kind_of(request)
    factor = (
        kind.measuring_factor(request, statistic) if measuring else kind.training_factor(request, statistic)
    )
    return OwnerData(factor, statistic.rows)


def pooled_errors(data_sets: Mapping[str, DataSet]) -> PooledError:
    """The error of least squares on a training's trainers, in the target's own units squared.

    `data_sets` are by owner's address. None before the roles are drawn, of folds,
    each of which has others, and for rows that are not there.
    """
    known: dict[tuple[bytes, tuple[str, ...], tuple[str, ...]], float] = {}

    def error(request: Request, story: ChainStory) -> float | None:
        drawn = (*story.trainers, *story.validators)
        if (
            not story.trainers
            or request.schedule.folds > 1
            or any(one not in data_sets or mismatches(request, data_sets[one].card) for one in drawn)
        ):
            return None
        place = (request.hash(), story.trainers, story.validators)
        if place not in known:
            trainers, validators = (
                [owner_data(request, data_sets[one], measuring=measuring) for one in part]
                for part, measuring in ((story.trainers, False), (story.validators, True))
            )
            weights = plaintext.pooled_least_squares(trainers)
            found = plaintext.mean_squared_error(validators, weights)
            known[place] = float(request.error_unit) * found
        return known[place]

    return error
