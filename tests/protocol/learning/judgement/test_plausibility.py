"""Errors have limits that honest ones keep, and a start cannot spell out a table."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.fixed_point import encode
from protocol.errors import ProtocolViolation
from protocol.learning.gram import gram_triangle
from protocol.learning.judgement.plausibility import (
    MAXIMUM_START,
    Limits,
    first_reference,
    gram_rounding,
    require_start,
)
from protocol.learning.moments.widths import MomentWidths, pairs
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.learning.statistic import triangular

SCALE = 2 * UPDATE_SCALE + ENTRY_SCALE
SEEDS = st.integers(0, 1 << 32)


def form(gram: list[int], left: list[int], right: list[int]) -> int:
    """leftᵀĜ·right of a triangle."""
    found = 0
    for (i, j), entry in zip(pairs(len(left)), gram, strict=True):
        found += entry * (left[i] * right[j] + (left[j] * right[i] if i < j else 0))
    return found


def tilde(weights: np.ndarray) -> list[int]:
    return [*encode(weights, UPDATE_SCALE), -1 << UPDATE_SCALE]


@settings(max_examples=12)
@given(SEEDS)
def test_an_honest_round_is_plausible(seed: int) -> None:
    """Models no worse than the start, on rows in [−1, 1]: numpy has the rows, the limits do not."""
    rng = np.random.default_rng(seed)
    trainers, weights = 3, [40, 90]
    tables = [rng.uniform(-1, 1, (20, 4)) for _ in weights]
    grams = [gram_triangle(triangular(one) / np.sqrt(len(one))) for one in tables]
    total = [
        sum(w * one for w, one in zip(weights, column, strict=True)) for column in zip(*grams, strict=True)
    ]
    start = rng.uniform(-1, 1, 3)
    start *= MAXIMUM_START * rng.uniform() / np.abs(start).sum()
    models = [tilde(start * rng.uniform(0.9, 1)) for _ in range(trainers)]
    rounding = sum(gram_rounding(w, 3, 2) for w in weights)
    public = encode(start, MODEL_SCALE)
    reference = first_reference(public, sum(weights))
    before = form(total, tilde(start), tilde(start))
    errors = [w * np.mean((one @ np.append(start, -1)) ** 2) for w, one in zip(weights, tables, strict=True)]
    assert before / 2**SCALE == pytest.approx(sum(errors), rel=1e-9)
    assert 0 <= before <= reference
    limits = Limits.of(trainers, reference, rounding, noise=0)
    sums = [sum(column) for column in zip(*models, strict=True)]
    assert all(limits.admits_own(form(total, one, one)) for one in models)
    assert all(limits.admits_cross(form(total, one, sums)) for one in models)


@settings(max_examples=30)
@given(st.integers(0, 1 << 300), st.integers(1, 20), st.integers(0, 1 << 200), st.integers(0, 1 << 200))
def test_limits_are_four_times_the_reference_and_no_more(
    reference: int, trainers: int, rounding: int, noise: int
) -> None:
    limits = Limits.of(trainers, reference, rounding, noise)
    own, cross = 4 * reference, 4 * trainers * reference
    for admits, low, high in ((limits.admits_own, 0, own), (limits.admits_cross, -cross, cross)):
        assert admits(low - rounding)
        assert admits(high + rounding + noise)
        assert not admits(low - rounding - 1)
        assert not admits(high + rounding + noise + 1)


@settings(max_examples=50)
@given(st.lists(st.floats(-4, 4), min_size=1, max_size=8))
def test_a_start_is_taken_up_to_the_bound_exactly(weights: list[float]) -> None:
    start = encode(weights, MODEL_SCALE)
    if sum(abs(Fraction(one, 1 << MODEL_SCALE)) for one in start) <= MAXIMUM_START:
        require_start(start)
    else:
        with pytest.raises(ProtocolViolation, match="start_too_large"):
            require_start(start)


def test_the_bound_itself_is_taken_and_one_unit_more_is_told_with_its_remedy() -> None:
    require_start([-3 << MODEL_SCALE, 1 << MODEL_SCALE])
    with pytest.raises(ProtocolViolation, match=r"add up to 4 in size.*start from zero"):
        require_start([-3 << MODEL_SCALE, (1 << MODEL_SCALE) + 1])


def test_a_start_of_growing_powers_would_read_the_pooled_table() -> None:
    """v₀ of weights 1, B, B² … is a number to the base of B whose digits are the table's entries."""
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 2, (50, 4))
    table = rows.T @ rows
    base = 1000
    start = [-base, -(base**3)]
    error = sum(int((row[:2] @ start - row[3]) ** 2) for row in rows)
    digits = [error // base**power % base for power in range(7)]
    assert digits == [
        table[3, 3],
        2 * table[0, 3],
        table[0, 0],
        2 * table[1, 3],
        2 * table[0, 1],
        0,
        table[1, 1],
    ]
    with pytest.raises(ProtocolViolation, match="start_too_large"):
        require_start([one << MODEL_SCALE for one in start])


@settings(max_examples=25)
@given(st.integers(2, 20), st.integers(1, 1 << 30))
def test_the_largest_limits_fit_the_slots(trainers: int, weights: int) -> None:
    widths = MomentWidths.fit(
        key_bits=4096, parameters=3, trainers=trainers, weights=weights, weight_bits=6, residual_bits=3
    )
    largest = first_reference([MAXIMUM_START << MODEL_SCALE], weights)
    limits = Limits.of(trainers, largest, gram_rounding(weights, 3, 6), 0)
    assert limits.own < limits.cross <= widths.products.offset


@settings(max_examples=12)
@given(SEEDS)
def test_rounding_of_a_matrix_changes_an_error_by_less_than_is_allowed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.uniform(-1, 1, (2, 4))
    factor = triangular(table) / np.sqrt(2)
    exact = [[Fraction(float(x)) for x in row] for row in factor]
    gram = gram_triangle(factor)
    weights = [*(int(one * 2.0**UPDATE_SCALE) for one in rng.uniform(-64, 64, 3)), -1 << UPDATE_SCALE]
    residuals = [sum(a * b for a, b in zip(row, weights, strict=True)) for row in exact]
    true = sum(one * one for one in residuals) * (1 << ENTRY_SCALE)
    assert abs(form(gram, weights, weights) - true) <= gram_rounding(1, 3, 6)


def unseen_error(seed: int, size: float) -> int:
    """What a matrix of two rows makes of a model of a given size along what they do not see."""
    factor = triangular(np.random.default_rng(seed).uniform(-1, 1, (2, 4))) / np.sqrt(2)
    first, second = np.linalg.svd(factor)[2][2:]
    along = second[-1] * first - first[-1] * second
    weights = first / -first[-1] + size * along
    return form(gram_triangle(factor), tilde(weights[:-1]), tilde(weights[:-1]))


@pytest.mark.parametrize("size", [8.0, 2.0**40, 2.0**80])
def test_no_model_however_far_out_of_its_bound_makes_an_honest_matrix_negative(size: float) -> None:
    """Rounding alone would: an honest validator would be named for a negative error."""
    assert all(unseen_error(seed, size) >= 0 for seed in range(20))


def test_scales_belong_together() -> None:
    assert MODEL_SCALE + COEFFICIENT_SCALE == UPDATE_SCALE
    assert first_reference([1 << MODEL_SCALE], 7) == 4 * 7 << SCALE


def test_the_first_reference_of_several_targets_is_that_of_the_one_with_the_largest_start() -> None:
    one = 1 << MODEL_SCALE
    start = [one, 0, -one, 2 * one, 0, one]
    assert first_reference(start, 7, targets=3) == first_reference([3 * one], 7)
    require_start([4 * one] * 3, targets=3)
    with pytest.raises(ProtocolViolation, match="start_too_large"):
        require_start([0, 0, -3 * one, 2 * one], targets=2)
    require_start([0, 0, -3 * one, 2 * one], targets=4)
