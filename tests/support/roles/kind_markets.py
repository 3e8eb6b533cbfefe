"""Small encrypted trainings of every kind of model, with curves and without, and what each should deliver."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Matrix, Statistic
from protocol.links import FITTED
from protocol.records import FIXED_POINT
from protocol.roles.dispatch import ROLES
from tests.support.roles.generalized_market import generalized_market
from tests.support.roles.plain_market import delivered_round, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import make_data_set, owning
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, small_request
from tests.support.several import CLASSES, TARGETS, document_of, some_table, statistic_of

BASIS: tuple[dict[str, Any], ...] = (
    {"kind": "spline", "column": "x0", "knots": [0]},
    {"kind": "interaction", "columns": ["x0", "x1"]},
)
WAVES: tuple[dict[str, Any], ...] = (
    {"kind": "fourier", "columns": ["x0", "x1"], "number": 4, "length_scale": 1, "seed": 1},
)
TWICE = {"rounds": 2, "local_steps": 40, "tolerance": 0}

_START = {"start": "mean", "value": "10"}
"""Not zero: of zeros an owner's map leaves its offset alone."""


def classified(rows: Matrix) -> Matrix:
    """The same features with a target of 0 and 1."""
    return np.column_stack([rows[:, :2], (rows[:, 2] > 12).astype(float)])


def linear_market() -> PureMarket:
    """A linear regression."""
    request = small_request(schedule=TWICE, start=_START)
    return small_market(request, small_data(rows=30), validators=[2, 3])


def classifying_market(**changes: Any) -> PureMarket:
    """A binary classification."""
    request = small_request(
        model={"kind": "binary_classification", "l2": "0.001"},
        target={"name": "y", "kind": "boolean"},
        start={"start": "mean", "value": "0.4"},
        schedule=TWICE,
        **changes,
    )
    return small_market(request, [classified(rows) for rows in small_data(rows=30)], validators=[2, 3])


def several_market(content: dict[str, Any]) -> PureMarket:
    """Several targets, or classes, in one training."""
    request = small_request(**document_of(content, schedule=TWICE))
    tables = [some_table(seed) for seed in range(4)]
    market = PureMarket(request, [np.ones((2, 1))] * 4, ["none"], validators=[2, 3], roles=ROLES)
    for owner, table in zip(market.owners, tables, strict=True):
        owner.private.update(owning(make_data_set(statistic_of(table))))
    market.start()
    return market


def curved_market(basis: tuple[dict[str, Any], ...] = BASIS, *, read: bool = True) -> PureMarket:
    """Curves, by a key in which three slots of products find room."""
    rows = small_data(rows=30)
    request = small_request(schedule=TWICE, start=_START, basis=list(basis), key_bits=1152)
    market = PureMarket(request, rows, COLUMNS, validators=[2, 3], roles=ROLES)
    for owner, own in zip(market.owners, rows, strict=True):
        table = dict(zip(COLUMNS, own.T, strict=True))
        statistic = Statistic.from_bytes(owner.private["data_set:rows"])
        if read:
            statistic = with_fit(market.request, statistic, lambda table=table: [table])  # type: ignore[misc]
        owner.private["data_set:rows"] = statistic.to_bytes()
    market.start()
    return market


MARKETS: Mapping[str, Callable[[], PureMarket]] = {
    "linear_regression": linear_market,
    "binary_classification": classifying_market,
    "several_targets": partial(several_market, TARGETS),
    "several_classes": partial(several_market, CLASSES),
    **{kind: partial(generalized_market, kind, schedule=TWICE) for kind in FITTED},
    "linear_regression, with a spline and a product": curved_market,
    "linear_regression, with random waves": partial(curved_market, WAVES),
}
"""By what is trained: each kind of model, and least squares of functions of columns."""


def in_plaintext(market: PureMarket) -> tuple[BoughtModel, PublishedErrors]:
    """What the same schedule in floats would deliver after the delivered round, and its errors.

    They are in the target's own units squared.
    """
    request, rounds, twin = market.request, delivered_round(market), plain_twin(market)
    unit = float(request.error_unit)
    errors = PublishedErrors(unit * twin.metrics[0].start, unit * twin.metrics[rounds - 1].after)
    model = kind_of(request).bought(request, twin.averaging.models[rounds].tolist(), recorded(market))
    return model, errors


def recorded(market: PureMarket) -> PublishedErrors:
    """The errors that the chain has, of the start and of the delivered model."""
    unit = float(market.request.error_unit) / FIXED_POINT
    events = market.contract.recorded
    last = events[delivered_round(market) - 1]
    return PublishedErrors(events[0].record.mse_before * unit, last.mse_after * unit)


def all_weights(model: BoughtModel) -> Matrix:
    """Weights and intercept of each target in turn."""
    return np.array(list(_weights(model)))


def _weights(model: BoughtModel) -> Iterator[float]:
    for one in model.outputs or (model,):
        yield from one.weights
        yield one.intercept or 0.0
