"""What an owner's statistic gives is what its rows give, for all kinds of columns and their combinations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bought_model import BoughtModel
from protocol.data_set import card_of
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.design import design_matrix
from protocol.preparation.tables import Table, rows_of
from protocol.request import Request
from protocol.requirements import mismatches
from tests.support.mixed_columns import bounds_of, requests, rows_for


def statistic_of(request: Request, table: Table, cut: int = 0) -> Statistic:
    """As an owner makes it, who has declared the request's ranges where it admits clipping."""
    columns = (*request.features, request.target)
    kinds = {"categorical": "text", "date": "date"}
    builder = StatisticBuilder(
        {column.name: kinds.get(column.kind, "number") for column in columns},
        logs=True,
        bounds={one.name: bounds_of(one) for one in columns if getattr(one, "outside", "") == "clip"},
    )
    for part in (slice(0, cut), slice(cut, None)):
        builder.add(rows_of(table, part))
    return builder.finish()


def scaled_rows(request: Request, table: Table) -> np.ndarray:
    """[X (1) y] in the request's scale, out of the rows."""
    inputs = design_matrix((*request.features, request.target), table)
    centers, halves = zip(*((float(c), float(h)) for c, h in request.scalings()), strict=True)
    inputs = (inputs - centers) / halves
    ones = [np.ones(len(inputs))] if request.model.intercept else []
    return np.column_stack([inputs[:, :-1], *ones, inputs[:, -1]])


@settings(max_examples=150)
@given(wanted=requests(), count=st.integers(1, 50), cut=st.integers(0, 50), seed=st.integers(0, 10**6))
def test_the_factor_of_a_request_is_that_of_its_prepared_rows(
    wanted: Request, count: int, cut: int, seed: int
) -> None:
    table = rows_for(wanted, count, seed)
    statistic = statistic_of(wanted, table, min(cut, count))
    factor = kind_of(wanted).measuring_factor(wanted, statistic)
    rows = scaled_rows(wanted, table)
    assert factor.shape == (wanted.parameters + 1, wanted.parameters + 1)
    lengths = np.maximum(np.sqrt((rows**2).mean(axis=0)), 1)
    found, expected = factor.T @ factor, rows.T @ rows / count
    assert np.abs((found - expected) / np.outer(lengths, lengths)).max() < 1e-9
    card = card_of("any", statistic, exact=True)
    assert wanted.bounds.min_rows > card.rows_from or mismatches(wanted, card) == ()


@settings(max_examples=60)
@given(wanted=requests(), seed=st.integers(0, 10**6))
def test_a_model_predicts_on_rows_as_they_are_what_was_trained(wanted: Request, seed: int) -> None:
    table = rows_for(wanted, 30, seed)
    weights = np.random.default_rng(seed).normal(size=wanted.parameters)
    model = BoughtModel.of(wanted, weights.tolist())
    center, half = map(float, wanted.scalings()[-1])
    expected = scaled_rows(wanted, table)[:, :-1] @ weights
    predicted = KINDS[model.kind].predict(model, model.design(table))
    size = np.abs(scaled_rows(wanted, table)[:, :-1]) @ np.abs(weights)
    assert np.all(np.abs((predicted - center) / half - expected) <= 1e-9 * (1 + size))
