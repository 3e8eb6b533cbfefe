"""The partial likelihood, its gradient and its curvature, by the definition and by differences."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protocol.learning.glm.partial_likelihood import Risks, expansion
from tests.support.hazards import hazard_rows, partial_deviance

ROWS = 12
STEP = 1e-5


def risks_of(rows: np.ndarray) -> Risks:  # type: ignore[type-arg]
    return Risks.of(rows[:, :-2], rows[:, -2], rows[:, -1])


@given(
    features=arrays(np.float64, (ROWS, 2), elements=st.floats(-1, 1)),
    times=arrays(np.float64, ROWS, elements=st.integers(0, 5).map(float)),
    events=arrays(np.float64, ROWS, elements=st.sampled_from([0.0, 1.0])),
    slopes=arrays(np.float64, 2, elements=st.floats(-3, 3)),
)
def test_ties_censored_rows_and_any_order_are_counted_as_defined(features, times, events, slopes):  # type: ignore[no-untyped-def]
    rows = np.column_stack([features, times, events])
    found = expansion(risks_of(rows), slopes)
    np.testing.assert_allclose(found.deviance, partial_deviance(rows, slopes), rtol=1e-9, atol=1e-9)
    for place in range(2):
        step = STEP * np.eye(2)[place]
        after, before = (partial_deviance(rows, slopes + sign * step) for sign in (1, -1))
        np.testing.assert_allclose(found.gradient[place], (after - before) / (2 * STEP), atol=1e-6)
        ahead, behind = (expansion(risks_of(rows), slopes + sign * step).gradient for sign in (1, -1))
        np.testing.assert_allclose(2 * found.curvature[place], (ahead - behind) / (2 * STEP), atol=1e-6)


def test_no_weights_overflow() -> None:
    found = expansion(risks_of(hazard_rows(50)), np.array([1e4, 1e4]))
    assert np.isfinite(found.deviance)
    assert np.isfinite(found.gradient).all()
    assert np.isfinite(found.curvature).all()


def test_what_all_rows_have_in_common_changes_nothing() -> None:
    rows, slopes = hazard_rows(60), np.array([0.5, -0.2, 7.0])
    with_ones = np.column_stack([rows[:, :2], np.ones(60), rows[:, 2:]])
    found, plain = expansion(risks_of(with_ones), slopes), expansion(risks_of(rows), slopes[:2])
    assert abs(found.deviance - plain.deviance) < 1e-12
    assert abs(found.gradient[2]) < 1e-12
    assert np.abs(found.curvature[2]).max() < 1e-12
