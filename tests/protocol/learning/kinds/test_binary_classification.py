"""Classification by least squares: Fisher's discriminant on the rows themselves is the oracle."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from protocol.learning.kinds.binary_classification import share_of_ones
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.plaintext import OwnerData, pooled_least_squares
from protocol.learning.statistic import StatisticBuilder
from protocol.request import Request
from tests.support.deployment.documents import any_request

NAMES = ("age", "bmi", "ill")


@cache
def rows() -> np.ndarray:
    """200 rows of age, bmi and a target of which some 30 % are ones."""
    generator = np.random.default_rng(5)
    features = generator.uniform((20, 15), (90, 60), size=(200, 2))
    log_odds = 0.06 * (features[:, 0] - 60) + 0.1 * (features[:, 1] - 40) - 0.6
    ill = generator.random(200) < 1 / (1 + np.exp(-log_odds))
    return np.column_stack([features, ill])


def request(scale: str = "range", start: float = 0.25) -> Request:
    return any_request(
        model={"kind": "binary_classification", "l2": 0},
        target={"name": "ill", "kind": "boolean"},
        start={"start": "mean", "value": str(start)},
        scale=scale,
    )


def owner(wanted: Request) -> OwnerData:
    builder = StatisticBuilder(NAMES)
    builder.add(rows())
    statistic = builder.finish()
    kind = kind_of(wanted)
    factor = kind.training_factor(wanted, statistic)
    np.testing.assert_array_equal(factor, kind.measuring_factor(wanted, statistic))
    return OwnerData(factor, statistic.rows)


@pytest.mark.parametrize("scale", ["none", "range"])
def test_what_is_paid_for_is_the_brier_score_of_the_linear_predictions(scale: str) -> None:
    wanted = request(scale)
    weights = np.array([0.01, -0.02, 0.3])
    errors = owner(wanted).factor @ np.append(weights, -1.0)
    columns = [
        (values - float(one.center)) / float(one.half)
        for values, one in zip(rows().T, wanted.scalings(), strict=True)
    ]
    predicted = np.column_stack([*columns[:-1], np.ones(200)]) @ weights
    in_own_units = (predicted - columns[-1]) * float(wanted.scalings()[-1].half)
    assert float(wanted.error_unit) * float(errors @ errors) == pytest.approx(np.mean(in_own_units**2))


@pytest.mark.parametrize("scale", ["none", "range"])
@pytest.mark.parametrize("start", [0.1, 0.5, 0.9])
def test_least_squares_are_delivered_as_fishers_discriminant(scale: str, start: float) -> None:
    """Linear discriminant analysis has the same log-odds, to the rounding of doubles."""
    features, target = rows()[:, :2], rows()[:, 2]
    stated = float(target.mean()) if start == 0.5 else start
    wanted = request(scale, stated)
    weights = pooled_least_squares([owner(wanted)])
    residual = owner(wanted).factor @ np.append(weights, -1.0)
    error = float(wanted.error_unit) * float(residual @ residual)
    published = PublishedErrors(float(np.mean((target - stated) ** 2)), error)
    kind = KINDS["binary_classification"]
    model = kind.bought(wanted, weights.tolist(), published)
    oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(features, target)
    np.testing.assert_allclose(model.weights, oracle.coef_[0], rtol=1e-9)
    assert model.intercept == pytest.approx(float(oracle.intercept_[0]), rel=1e-9)
    np.testing.assert_allclose(kind.predict(model, features), oracle.predict_proba(features)[:, 1], rtol=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0, 1))
def test_the_first_models_error_tells_the_share_of_ones(share: float, first: float) -> None:
    error = share * (1 - first) ** 2 + (1 - share) * first**2
    found = share_of_ones(first, error)
    if abs(1 - 2 * first) >= 2**-10:
        assert found == pytest.approx(share, rel=1e-6, abs=1e-9)
    else:
        assert found == first


@given(
    st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
    st.floats(0, 1e20),
    st.floats(0, 1e20),
    st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3),
)
def test_no_published_errors_make_a_model_that_is_not_finite(
    first: float, start: float, delivered: float, weights: list[float]
) -> None:
    """Whoever measures may lie: what the buyer decrypts must still be a model file that can be read."""
    kind = KINDS["binary_classification"]
    model = kind.bought(request(start=first), weights, PublishedErrors(start, delivered))
    assert all(map(math.isfinite, (*model.weights, model.intercept or 0.0)))
    predicted = kind.predict(model, rows()[:, :2])
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_the_inverse_link_is_the_logistic_function() -> None:
    found = KINDS["binary_classification"].expected(np.array([-1e9, -2.0, 0.0, 2.0, 1e9]))
    assert found[2] == 0.5
    assert found[1] == pytest.approx(1 / (1 + math.e**2))
    assert found[0] + found[4] == pytest.approx(1)
    assert (np.diff(found) > 0).all()
