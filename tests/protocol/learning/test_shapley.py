"""The closed form against the definition over all coalitions; the contract's integers against fractions."""

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocol.learning.shapley import contributions, contributions_fixed, mse_after_fixed, truncated
from protocol.records import FIXED_POINT

Matrix = NDArray[np.float64]
AMOUNTS = st.integers(0, (1 << 100) - 1)


def by_definition(v0: float, gram: Matrix) -> list[float]:
    """φ_i = Σ_S (v(S ∪ i) − v(S)) / (T·C(T−1, |S|)) over all coalitions S without i (Shapley, 1953)."""
    count = len(gram)

    def value(coalition: tuple[int, ...]) -> float:
        if not coalition:
            return -v0
        return -float(gram[np.ix_(coalition, coalition)].sum()) / len(coalition) ** 2

    result = []
    for i in range(count):
        others = [j for j in range(count) if j != i]
        phi = 0.0
        for size in range(count):
            gains = [value((*s, i)) - value(s) for s in combinations(others, size)]
            phi += sum(gains) / (count * comb(count - 1, size))
        result.append(phi)
    return result


def residual_gram(count: int, seed: int) -> Matrix:
    residuals = np.random.default_rng(seed).normal(size=(count, 6)) + 1
    return residuals @ residuals.T


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("seed", range(3))
def test_the_closed_form_is_the_definition(count: int, seed: int) -> None:
    gram, v0 = residual_gram(count, seed), 7.5
    result = contributions(v0, list(np.diag(gram)), list(gram.sum(axis=1)))
    np.testing.assert_allclose(result, by_definition(v0, gram), rtol=1e-12, atol=1e-12)


@given(
    count=st.integers(2, 12),
    v0=st.floats(0, 100),
    numbers=st.lists(st.floats(-50, 50), min_size=24, max_size=24),
)
def test_contributions_add_up_to_the_gain(count: int, v0: float, numbers: list[float]) -> None:
    own, cross = [abs(q) for q in numbers[:count]], numbers[12 : 12 + count]
    after = sum(cross) / count**2
    assert sum(contributions(v0, own, cross)) == pytest.approx(v0 - after, abs=1e-9)


def test_equal_trainers_contribute_equally_and_names_do_not_matter() -> None:
    gram = residual_gram(4, 1)
    own, cross = list(np.diag(gram)), list(gram.sum(axis=1))
    straight = contributions(3.0, own, cross)
    assert contributions(3.0, own[::-1], cross[::-1]) == pytest.approx(straight[::-1])
    assert len(set(contributions(3.0, [2.0] * 5, [1.0] * 5))) == 1


def test_whose_absence_helps_earns_least() -> None:
    # The sign that was wrong in 2019: the third trainer's residuals are far larger than the others'.
    residuals = np.array([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]])
    gram = residuals @ residuals.T
    phi = contributions(4.0, list(np.diag(gram)), list(gram.sum(axis=1)))
    assert phi[2] < 0 < phi[0]
    assert phi[0] == pytest.approx(phi[1])


def exact_contributions(v0: int, own: list[int], cross: list[int]) -> list[Fraction]:
    """The formula of the module in fractions."""
    count, trace, total = len(own), sum(own), sum(cross)
    result = []
    for q, c in zip(own, cross, strict=True):
        row, rest = c - q, trace - q
        outside = total - trace - 2 * row
        phi = Fraction(v0)
        for s in range(count):
            p = Fraction(s, count - 1) if count > 1 else Fraction(0)
            h = Fraction(s * (s - 1), (count - 1) * (count - 2)) if count > 2 else Fraction(0)
            phi -= (q + 2 * p * row + p * rest + h * outside) / (s + 1) ** 2
            if s:
                phi += (p * rest + h * outside) / s**2
        result.append(phi / count)
    return result


@st.composite
def recorded(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    count = draw(st.one_of(st.integers(2, 9), st.integers(10, 24)))
    own = draw(st.lists(AMOUNTS, min_size=count, max_size=count))
    signed = st.integers(1 - (1 << 100), (1 << 100) - 1)
    cross = draw(st.lists(signed, min_size=count, max_size=count))
    return draw(AMOUNTS), own, cross


@settings(max_examples=50)
@given(recorded())
def test_the_contract_s_integers_are_within_t_units(record: tuple[int, list[int], list[int]]) -> None:
    v0, own, cross = record
    fixed, exact = contributions_fixed(v0, own, cross), exact_contributions(v0, own, cross)
    for integer, fraction in zip(fixed, exact, strict=True):
        assert abs(integer - fraction) < len(own)
    gain = v0 - mse_after_fixed(cross, len(own))
    assert abs(sum(fixed) - gain) <= len(own) ** 2


@pytest.mark.parametrize("count", range(2, 9))
def test_integers_and_floats_agree(count: int) -> None:
    gram = residual_gram(count, 5)
    scale = FIXED_POINT
    own, cross = np.diag(gram), gram.sum(axis=1)
    floats = contributions(7.5, list(own), list(cross))
    fixed = contributions_fixed(
        int(7.5 * scale), [int(q * scale) for q in own], [int(c * scale) for c in cross]
    )
    np.testing.assert_allclose(np.array(fixed) / scale, floats, rtol=1e-12, atol=1e-12)


@given(st.integers(-(10**30), 10**30), st.integers(-(10**9), 10**9).filter(bool))
def test_division_rounds_toward_zero(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert truncated(numerator, denominator) == int(exact)  # int() of a fraction truncates
