"""Student's t and the normal distribution against scipy's."""

import pytest
from scipy import stats  # type: ignore[import-untyped]

from protocol.errors import MisuseError
from protocol.learning.inference.distributions import half_width, incomplete_beta, two_sided_p

DEGREES = (1.0, 3.5, 12.0, 400.0, 1e6)


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("statistic", [0.0, 0.3, -1.7, 2.0, 9.0, 40.0])
def test_p_of_t_is_scipys(degrees: float, statistic: float) -> None:
    wanted = 2 * stats.t.sf(abs(statistic), degrees)
    assert two_sided_p(statistic, degrees) == pytest.approx(wanted, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("degrees", [*DEGREES, None])
def test_an_interval_reaches_to_scipys_quantile(degrees: float | None, confidence: float) -> None:
    place = (1 + confidence) / 2
    wanted = stats.norm.ppf(place) if degrees is None else stats.t.ppf(place, degrees)
    assert half_width(confidence, degrees) == pytest.approx(wanted, rel=1e-8)


def test_p_of_a_normal_statistic_and_at_the_ends() -> None:
    assert two_sided_p(1.96, None) == pytest.approx(2 * stats.norm.sf(1.96))
    assert two_sided_p(float("inf"), 5.0) == two_sided_p(float("-inf"), None) == 0.0
    assert [incomplete_beta(2, 3, x) for x in (-1.0, 0.0, 1.0)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(MisuseError, match="between 0 and 1"):
        half_width(confidence, None)
