"""The fit finds the power that costs were made with, and refuses what has none."""

import pytest

from tests.benchmarks.growth.fit import fit_of, fitted


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5])
def test_a_power_is_found(power):
    found = fitted([(size, 3 * size**power) for size in (2, 5, 40, 300)])
    assert found.exponent == pytest.approx(power)
    assert found.factor == pytest.approx(3)
    assert found.off == pytest.approx(1)
    assert found.at(1000) == pytest.approx(3 * 1000**power)


def test_how_far_a_point_is_away_is_told():
    found = fitted([(1, 1), (10, 20), (100, 100)])
    assert found.exponent == pytest.approx(1)
    assert found.off == pytest.approx(2 ** (2 / 3))


@pytest.mark.parametrize(
    "points", [[(5, 1)], [(5, 1), (5, 2)], [(5, 0), (6, 1)]], ids=["one", "same", "zero"]
)
def test_what_has_no_power_is_refused(points):
    with pytest.raises(ValueError, match=r"logarithms|two sizes"):
        fitted(points)
    assert fit_of(points) is None
