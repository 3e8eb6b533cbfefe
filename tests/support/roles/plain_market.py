"""The plain twin of a pure market's training: the same owners, the same roles, the same rounds, in floats."""

from decimal import Decimal

import numpy as np
import pytest

from protocol.learning.descent import step_size_of
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData, PlainTraining, run
from protocol.learning.statistic import Statistic
from protocol.ridge_path import ridges_by_round
from protocol.scaling import to_declared_units
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix, Party


def owner_data(market: PureMarket, owner: Party, *, measuring: bool = True) -> OwnerData:
    request, statistic = market.request, Statistic.from_bytes(owner.private["data_set:rows"])
    kind = kind_of(request)
    factor_of = kind.measuring_factor if measuring else kind.training_factor
    return OwnerData(factor_of(request, statistic), statistic.rows)


def plain_twin(market: PureMarket, rounds: int | None = None) -> PlainTraining:
    """What `rounds` rounds (all recorded ones by default) give without encryption, with the roles drawn."""
    schedule, rounds = market.request.schedule, rounds or len(market.contract.recorded)
    return run(
        [owner_data(market, owner, measuring=False) for owner in market.trainers()],
        [owner_data(market, owner) for owner in market.validators()],
        np.array([float(weight) for weight in market.request.start_weights()]),
        step_size=step_size_of(market.request),
        l2=ridges_by_round(market.request.model, schedule, rounds),
        local_steps=schedule.local_steps,
        rounds=rounds,
        penalty=float(schedule.penalty) if schedule.is_admm else None,
    )


def bought_weights(market: PureMarket) -> Matrix:
    """The delivered weights between scaled columns, the intercept last."""
    model = market.bought()
    delivered = [*model.weights, *([] if model.intercept is None else [model.intercept])]
    scaled = to_declared_units(list(map(Decimal, delivered)), market.request.scalings())
    return np.array(list(map(float, scaled)))


def assert_model_of_twin(market: PureMarket) -> None:
    """The delivered weights are those of the plain training after the round that was to be delivered."""
    twin = plain_twin(market, delivered_round(market)).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(twin, abs=1e-6)


def delivered_round(market: PureMarket) -> int:
    """The round whose model the last record names."""
    recorded = market.contract.recorded
    wanted = recorded[-1].record.delivered_digest
    return next(event.round for event in recorded if event.record.model_digest == wanted)
