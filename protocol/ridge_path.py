"""A ridge penalty λ chosen by the validators' error: one training along a path of penalties.

The rounds are shared out evenly over the path, strongest λ first, and those of one λ start from the model of
the λ before: the warm starts of glmnet (Friedman, Hastie, Tibshirani, "Regularization paths for generalized
linear models via coordinate descent", Journal of Statistical Software 33, 2010, section 2.5). An owner
commits to one map for each λ when it joins, before it knows its role or sees any model; which one a round
takes follows from the round's number alone. The choice is the rule of `schedule.deliver: best`: the recorded
round whose mean model has the least published error is delivered and paid for, of equal ones the first, which
is of the stronger λ. So nothing is published or opened for it beyond the rounds' own errors, and nobody has a
say in it.
"""

from decimal import Decimal

from protocol.request_schedule import Schedule
from protocol.request_sections import MAXIMUM_FEATURES, ModelKind, Owners

_ROW_BYTES = 256
"""Of a commitment to one row of a map: a number modulo RSA-2048."""

MOST_COMMITTED_BYTES = 2**25
"""Of all owners' maps: everybody is sent all of them in one message, of which this is half."""

_MOST_ROWS = MAXIMUM_FEATURES + 1
"""Of one owner's maps, as its message has room for."""


def ridge_index(model: ModelKind, schedule: Schedule, round_number: int) -> int:
    """Which λ of the path a round takes, counted from 0; rounds count from 1, and none is beyond the last."""
    values = len(model.ridges)
    return min(max(round_number - 1, 0) * values // schedule.rounds, values - 1)


def committed_rows(model: ModelKind, parameters: int) -> int:
    """How many rows of maps an owner commits to: p for each λ."""
    return len(model.ridges) * parameters


def ridge_of(model: ModelKind, schedule: Schedule, round_number: int) -> Decimal:
    """The λ of a round."""
    return model.ridges[ridge_index(model, schedule, round_number)]


def ridges_by_round(model: ModelKind, schedule: Schedule, rounds: int) -> list[float]:
    """The λ of each of the first `rounds` rounds, as the plain twin takes them."""
    return [float(ridge_of(model, schedule, number)) for number in range(1, rounds + 1)]


def walks_last(model: ModelKind, schedule: Schedule, round_number: int) -> bool:
    """Whether a round takes the last λ, after which there is no other model to come."""
    return ridge_index(model, schedule, round_number) == len(model.ridges) - 1


def unsuitable_path(model: ModelKind, schedule: Schedule, owners: Owners, parameters: int) -> str | None:
    """Why a document's path cannot be walked, with the remedy; None where it can, or where there is none."""
    values = len(model.ridges)
    if values == 1:
        return None
    if schedule.is_admm:
        return (
            "model.l2 has several values, and schedule.method: admm carries duals of one loss from round to "
            "round: give one l2, or say method: averaging"
        )
    if schedule.rounds % values:
        more = -(-schedule.rounds // values) * values
        return (
            f"model.l2 has {values} values, over which schedule.rounds, {schedule.rounds}, cannot be shared "
            f"out evenly: make it {more}"
        )
    if schedule.deliver != "best":
        return (
            "model.l2 has several values, of which the least error chooses: it needs schedule.deliver: best"
        )
    return _too_many_rows(values, parameters, owners.maximum)


def _too_many_rows(values: int, parameters: int, owners: int) -> str | None:
    rows = values * parameters
    if rows > _MOST_ROWS:
        return (
            f"model.l2: {values} values of {parameters} weights make {rows} rows that each owner commits to; "
            f"at most {_MOST_ROWS}: take fewer values"
        )
    size = owners * rows * _ROW_BYTES
    if size > MOST_COMMITTED_BYTES:
        return (
            f"model.l2: the commitments of {owners} owners to {rows} rows each are {size:,} bytes; at most "
            f"{MOST_COMMITTED_BYTES:,}: take fewer values, or lower owners.maximum"
        )
    return None
