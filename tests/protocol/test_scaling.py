"""Weights between scaled columns stay within the bound of the document, whatever the rows are."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import MisuseError
from protocol.learning.descent import affine_map, step_size_of
from protocol.scaling import LARGEST_STEP, Scaling, largest_weight, to_declared_units, to_own_units
from tests.support.deployment.documents import any_request

RANGES = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def rows_of(seed: int, *, unlike: bool) -> list[np.ndarray]:
    """Three owners' rows [x0 x1 y] in [−1, 1] that make weights as large as they can be: nearly collinear."""
    generator = np.random.default_rng(seed)
    owners = []
    for _ in range(3):
        x = generator.uniform(-1, 1, 50)
        x *= 10.0 ** generator.uniform(-6, 0)
        near = np.clip(x + 10.0 ** generator.uniform(-8, -1) * generator.uniform(-1, 1, 50), -1, 1)
        y = np.sign(near - x) if unlike else generator.uniform(-1, 1, 50)
        owners.append(np.column_stack([x, near, y]))
    return owners


@given(
    seed=st.integers(0, 10_000),
    unlike=st.booleans(),
    intercept=st.booleans(),
    rounds=st.integers(1, 60),
    local_steps=st.sampled_from([1, 2, 3, 500, 1_000_000]),
)
def test_no_weight_leaves_its_bound(
    seed: int, unlike: bool, intercept: bool, rounds: int, local_steps: int
) -> None:
    request = any_request(
        model={"intercept": intercept, "l2": 0},
        start={"start": "zero"},
        schedule={"rounds": rounds, "local_steps": local_steps},
    )
    maps, residuals = [], []
    for rows in rows_of(seed, unlike=unlike):
        columns = np.column_stack([rows[:, :2], *([np.ones(50)] if intercept else []), rows[:, 2]])
        factor = np.linalg.qr(columns, mode="r") / np.sqrt(50)
        maps.append(affine_map(factor, step_size=step_size_of(request), l2=0.0, local_steps=local_steps))
        residuals.append(factor)
    weights = np.zeros(request.parameters)
    bound = largest_weight((), rounds, local_steps)
    for _ in range(rounds):
        local = [matrix @ weights + offset for matrix, offset in maps]
        for model in local:
            assert np.linalg.norm(model) < bound <= 2**request.weight_bits
            for factor in residuals:
                assert np.linalg.norm(factor @ np.append(model, -1.0)) < 2**request.residual_bits
        weights = np.mean(local, axis=0)


def test_the_start_counts_and_small_bounds_are_refused() -> None:
    request = any_request(start={"start": "weights", "weights": [100, 100, 100]})
    start = sum(map(abs, request.start_weights()))
    assert 2**request.weight_bits > start
    assert request.weight_bits > any_request(start={"start": "zero"}, schedule={"rounds": 1}).weight_bits
    for name in ("weight_bits", "residual_bits"):
        with pytest.raises(MisuseError, match=rf"bounds\.{name} is 4; .* may need \d+: leave it out"):
            any_request(bounds={name: 4})
    with pytest.raises(MisuseError, match=r"may need \d+ bits, of 64 at most: start from smaller weights"):
        any_request(start={"start": "weights", "weights": [10**25, 0, 0]})
    raw = {"scale": "none", "start": {"start": "zero"}}
    assert any_request(bounds={"weight_bits": 4}, **raw).weight_bits == 4


def test_a_range_too_narrow_for_floats_is_refused() -> None:
    narrow = {"name": "time", "minimum": 10**12, "maximum": 10**12 + 1}
    with pytest.raises(MisuseError, match=r"column 'time': 10+ to 10+1 is too narrow to scale.*subtract"):
        any_request(features=[narrow])
    assert any_request(features=[narrow], scale="none").parameters == 2
    assert any_request(features=[{**narrow, "maximum": 10**12 + 10**4}]).parameters == 2


def test_a_step_is_bounded_between_scaled_columns_alone() -> None:
    assert step_size_of(any_request(schedule={"step_size": "auto"})) == LARGEST_STEP
    assert step_size_of(any_request(schedule={"step_size": 100})) == LARGEST_STEP
    assert step_size_of(any_request(schedule={"step_size": 3})) == 3
    assert step_size_of(any_request(schedule={"step_size": 100}, scale="none")) == 100


@given(
    ranges=st.lists(RANGES, min_size=2, max_size=5),
    centered=st.booleans(),
    weights=st.lists(st.integers(-1000, 1000), min_size=5, max_size=5),
)
def test_weights_come_back_from_declared_units(
    ranges: list[tuple[float, float]], centered: bool, weights: list[int]
) -> None:
    scalings = [Scaling.of_range(Decimal(low), Decimal(high), centered=centered) for low, high in ranges]
    given_weights = [Decimal(value) for value in weights[: len(ranges) - 1 + int(centered)]]
    scaled = to_declared_units(given_weights, scalings)
    back = to_own_units(list(map(float, scaled)), scalings)
    scale = max(1.0, *(abs(float(w)) for w in given_weights)) * max(
        1.0, *(abs(float(column.center)) for column in scalings)
    )
    np.testing.assert_allclose(back, list(map(float, given_weights)), rtol=1e-9, atol=1e-9 * scale)
