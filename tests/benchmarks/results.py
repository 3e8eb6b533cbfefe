"""The thesis' result table beside ours: the same data, split, step size and number of iterations."""

import numpy as np
from pydantic import BaseModel

from protocol.data_card import bucket_of
from protocol.records import FIXED_POINT
from tests.benchmarks.data import (
    STEP_SIZE,
    Matrix,
    Split,
    descend,
    diabetes,
    error,
    federated,
    least_squares,
)
from tests.support.roles.pure_market import PureMarket

THESIS_INITIAL, THESIS_FEDERATED, THESIS_LOCAL = 27000.0, 3311.84, 3167.81
"""Chapter 8: "≈ 27000", DeltaML with five owners, and a linear regression on all the data."""
RANGE_OF_FEATURES = (-1, 1)
RANGE_OF_TARGET = (-400, 400)
"""Around zero, as the features': columns keep their places, and weights are those of the rows as they are."""


class ResultReport(BaseModel):
    """Mean squared errors over the validators' rows. `market_*` come out of a training through all roles.

    `owners_*` are models that each trainer makes alone: with as many steps, and by least squares.
    """

    thesis_initial: float = THESIS_INITIAL
    thesis_federated: float = THESIS_FEDERATED
    thesis_local: float = THESIS_LOCAL
    market_initial: float
    market_federated: float
    market_key_bits: int
    numpy_initial: float
    numpy_federated: float
    numpy_local: float
    owners_same_steps: list[float]
    owners_least_squares: list[float]
    weights_max_abs_error: float
    mse_max_relative_error: float
    rounds: int
    local_steps: int


def measure(split: Split, *, key_bits: int, rounds: int, local_steps: int) -> ResultReport:
    """Train on the split through all roles and in numpy; raises RuntimeError if it does not finish."""
    market = _market(split, key_bits=key_bits, rounds=rounds, local_steps=local_steps)
    market.start()
    market.finish()
    if market.buyer.shown != "FINISHED":
        raise RuntimeError(f"the training ended as {market.buyer.shown}; expected FINISHED")
    bought = market.bought()
    models = federated(split, rounds=rounds, local_steps=local_steps)
    unit = float(market.request.error_unit) / FIXED_POINT
    recorded = [event.mse_after * unit for event in market.contract.recorded]
    first = market.contract.recorded[0].record.mse_before * unit
    expected = [error(split.validators, model) for model in models]
    zeros = models[0]
    steps = rounds * local_steps
    return ResultReport(
        market_initial=first,
        market_federated=recorded[-1],
        market_key_bits=key_bits,
        numpy_initial=expected[0],
        numpy_federated=expected[-1],
        numpy_local=error(split.validators, least_squares(split.trainers)),
        owners_same_steps=[error(split.validators, descend(o, zeros, steps)) for o in split.trainers],
        owners_least_squares=[error(split.validators, least_squares([o])) for o in split.trainers],
        weights_max_abs_error=_distance(np.array([*bought.weights, bought.intercept]), models[-1]),
        mse_max_relative_error=float(np.max(np.abs(np.array([first, *recorded]) / np.array(expected) - 1))),
        rounds=rounds,
        local_steps=local_steps,
    )


def _market(split: Split, *, key_bits: int, rounds: int, local_steps: int) -> PureMarket:
    data = diabetes()
    low, high = RANGE_OF_FEATURES
    owners = [*split.trainers, *split.validators]
    return PureMarket(
        {
            "name": "diabetes",
            "features": [{"name": name, "minimum": low, "maximum": high} for name in data.names],
            "target": {"name": "progression", "minimum": RANGE_OF_TARGET[0], "maximum": RANGE_OF_TARGET[1]},
            "model": {"l2": 0},
            "schedule": {
                "rounds": rounds,
                "local_steps": local_steps,
                "step_size": str(STEP_SIZE),
                "tolerance": 0,
            },
            "payment": {"deposit_wei": str(10**18)},
            "bounds": {"min_rows": min(bucket_of(len(rows.target)) for rows in owners)},
            "owners": {"minimum": len(owners), "maximum": len(owners)},
            "key_bits": key_bits,
        },
        [np.column_stack([rows.features[:, :-1], rows.target]) for rows in owners],
        [*data.names, "progression"],
        validators=list(range(len(split.trainers), len(owners))),
    )


def _distance(left: Matrix, right: Matrix) -> float:
    return float(np.abs(left - right).max())
