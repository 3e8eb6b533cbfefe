"""An owner's fit of proportional hazards, by Newton's method on the rows as they are; and its bounds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from protocol.errors import MisuseError
from protocol.learning.glm import hazards
from protocol.learning.glm.fitting import with_fit
from protocol.learning.glm.hazards import fit_hazards
from protocol.learning.statistic import Fitted
from protocol.links import FITTED, LARGEST_LOG_HAZARD, MOST_HAZARD_ROWS
from tests.support.hazards import (
    KIND,
    batches_of_hazards,
    hazard_request,
    hazard_rows,
    partial_deviance,
    statistic_of_hazards,
    stratified_optimum,
    table_of_hazards,
)

Matrix = NDArray[np.float64]
REQUEST = hazard_request()
REACH = float(REQUEST.scalings()[-1].half)


def optimum(factor: Matrix) -> Matrix:
    """Where a quadratic is least, as log hazards between scaled columns; without the intercept."""
    solution, *_ = np.linalg.lstsq(factor[:, :-1], factor[:, -1], rcond=None)
    return np.asarray(solution * REACH)[:-1]


def measured(fitted: Fitted, slopes: Matrix) -> float:
    residual = fitted.measuring @ np.append(np.append(slopes, 0.0) / REACH, -1.0)
    return float(residual @ residual) * float(REQUEST.error_unit)


def test_an_owner_s_quadratic_is_least_at_the_optimum_of_its_rows() -> None:
    rows = hazard_rows()
    found = optimum(fit_hazards(REQUEST, batches_of_hazards(rows)).training)
    np.testing.assert_allclose(found, stratified_optimum([rows]), rtol=2e-3)


def test_the_owners_quadratics_together_predict_as_one_stratified_fit_of_all_their_rows() -> None:
    """Baselines that differ ten times over do not matter: nobody's row is compared with another owner's."""
    parts = [hazard_rows(120, seed, baseline) for seed, baseline in enumerate((0.2, 0.5, 1, 2))]
    stacked = np.vstack([fit_hazards(REQUEST, batches_of_hazards(rows)).training for rows in parts])
    found, expected, fresh = optimum(stacked), stratified_optimum(parts), hazard_rows(seed=9)
    np.testing.assert_allclose(found, expected, atol=0.06)
    assert partial_deviance(fresh, found) < 1.001 * partial_deviance(fresh, expected)


def test_the_measure_is_the_deviance_at_the_start_and_at_the_optimum() -> None:
    rows = hazard_rows()
    fitted = fit_hazards(REQUEST, batches_of_hazards(rows))
    for slopes in (np.zeros(2), optimum(fitted.training)):
        assert measured(fitted, slopes) == pytest.approx(partial_deviance(rows, slopes), rel=1e-9)


def test_batches_and_the_order_of_rows_change_nothing() -> None:
    rows = hazard_rows(90)
    shuffled = np.random.default_rng(3).permutation(rows)
    one, other = (
        fit_hazards(REQUEST, batches_of_hazards(some, size)) for some, size in ((rows, 90), (shuffled, 7))
    )
    for name in ("training", "measuring"):
        left, right = (getattr(fitted, name) for fitted in (one, other))
        np.testing.assert_allclose(left.T @ left, right.T @ right, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("order", ["by a", "against a", "all at once", "one event"])
def test_rows_without_an_optimum_give_numbers_within_the_bounds(order: str) -> None:
    """A column that tells the order of all times has no optimum: numbers must fit their slots still."""
    rows = hazard_rows(80)
    rows[:, 3] = 1.0
    rows[:, 2] = {"by a": 2 + rows[:, 0], "against a": 2 - rows[:, 0], "all at once": np.ones(80)}.get(
        order, np.arange(80.0)
    )
    if order == "one event":
        rows[1:, 3] = 0.0
    fitted = fit_hazards(REQUEST, batches_of_hazards(rows))
    slopes, weights = optimum(fitted.training), np.array([2.0 ** (REQUEST.weight_bits - 1), 0.0, 0.0])
    assert np.abs(rows[:, :2] @ slopes).max() <= LARGEST_LOG_HAZARD * (1 + 1e-9)
    assert np.linalg.norm(fitted.training[:, -1]) <= 1
    assert np.trace(fitted.training[:, :-1].T @ fitted.training[:, :-1]) <= REQUEST.parameters
    for factor in (fitted.training, fitted.measuring):
        assert np.isfinite(factor).all()
        assert np.linalg.norm(factor[:, -1]) <= 2**REQUEST.residual_bits
        assert np.linalg.norm(factor @ np.append(weights, -1.0)) <= 2.0**REQUEST.residual_bits


def test_the_reach_is_above_every_deviance_of_so_many_rows() -> None:
    link = FITTED[KIND]
    assert float(link.reach(REQUEST.target)) ** 2 > 2 * np.log(MOST_HAZARD_ROWS)
    assert link.reach(REQUEST.target) > LARGEST_LOG_HAZARD


def test_more_rows_than_memory_is_meant_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hazards, "MOST_HAZARD_ROWS", 89)
    with pytest.raises(MisuseError, match="fitted to 89 rows at most"):
        fit_hazards(REQUEST, batches_of_hazards(hazard_rows(90)))


def test_rows_without_an_event_have_no_fit() -> None:
    """They would measure every model alike, and the chain divides by the first error."""
    rows = hazard_rows(30)
    rows[:, 3] = 0.0
    with pytest.raises(MisuseError, match="column 'died' is 0 in all"):
        fit_hazards(REQUEST, batches_of_hazards(rows))
    with pytest.raises(MisuseError, match="has no rows"):
        fit_hazards(REQUEST, list)


def test_events_are_read_with_the_rows_and_checked_against_what_was_added() -> None:
    rows = hazard_rows(60)
    statistic = with_fit(REQUEST, statistic_of_hazards(rows), lambda: [table_of_hazards(rows)])
    assert statistic.fitted is not None
    found = statistic.fitted.training
    expected = fit_hazards(REQUEST, batches_of_hazards(rows)).training
    np.testing.assert_allclose(found.T @ found, expected.T @ expected, rtol=1e-6, atol=1e-9)
    lacking = {name: values for name, values in table_of_hazards(rows).items() if name != "died"}
    with pytest.raises(KeyError):
        with_fit(REQUEST, statistic_of_hazards(rows), lambda: [lacking])
