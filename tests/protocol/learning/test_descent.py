"""Gradient descent as an affine map against the steps themselves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocol.learning.descent import affine_map, affine_maps
from protocol.learning.statistic import triangular

Matrix = NDArray[np.float64]


def owner(rows: int, features: int, seed: int, *, intercept: bool) -> tuple[Matrix, Matrix]:
    generator = np.random.default_rng(seed)
    columns = generator.normal(size=(rows, features))
    if intercept:
        columns = np.column_stack([columns, np.ones(rows)])
    return columns, generator.normal(size=rows) * 3 + 1


def factor_of(features: Matrix, target: Matrix) -> Matrix:
    whole = np.column_stack([features, target])
    factor = np.zeros((whole.shape[1],) * 2)
    reduced = triangular(whole) / np.sqrt(len(target))
    factor[: len(reduced)] = reduced
    return factor


@given(
    rows=st.integers(1, 40),
    features=st.integers(1, 5),
    seed=st.integers(0, 500),
    intercept=st.booleans(),
    l2=st.sampled_from([0.0, 0.01, 2.0]),
    steps=st.integers(1, 30),
)
def test_the_map_is_so_many_gradient_steps(
    rows: int, features: int, seed: int, intercept: bool, l2: float, steps: int
) -> None:
    X, y = owner(rows, features, seed, intercept=intercept)
    step_size = 1.9 / float(np.linalg.eigvalsh(X.T @ X / rows + l2 * np.eye(X.shape[1]))[-1])
    M, v = affine_map(factor_of(X, y), step_size=step_size, l2=l2, local_steps=steps)
    start = np.linspace(-1, 1, X.shape[1])
    weights = start
    for _ in range(steps):
        weights = weights - step_size * (X.T @ (X @ weights - y) / rows + l2 * weights)
    np.testing.assert_allclose(M @ start + v, weights, rtol=1e-8, atol=1e-9)


def test_a_million_steps_reach_the_ridge_solution() -> None:
    X, y = owner(50, 3, 1, intercept=True)
    M, v = affine_map(factor_of(X, y), step_size=0.1, l2=0.5, local_steps=1_000_000)
    ridge = np.linalg.solve(X.T @ X / 50 + 0.5 * np.eye(4), X.T @ y / 50)
    np.testing.assert_allclose(M, np.zeros((4, 4)), atol=1e-12)
    np.testing.assert_allclose(v, ridge, rtol=1e-10)


@pytest.mark.parametrize(("feature", "l2", "most"), [(2.0, 0.0, 0.475), (1.0, 3.0, 0.475), (0.5, 0.0, 7.6)])
def test_a_step_is_taken_up_to_its_safe_size(feature: float, l2: float, most: float) -> None:
    factor = np.array([[feature, 1.0], [0.0, 1.0]])
    curvature = feature**2 + l2
    for step_size in (most / 2, most, 2 * most, 100.0, math.inf):
        M, v = affine_map(factor, step_size=step_size, l2=l2, local_steps=1)
        taken = min(step_size, most)
        assert pytest.approx(1 - taken * curvature) == M
        assert v == pytest.approx(taken * feature)


@given(seed=st.integers(0, 10_000), scale=st.integers(-20, 20), steps=st.integers(1, 500))
def test_no_step_that_is_asked_for_diverges(seed: int, scale: int, steps: int) -> None:
    X, y = owner(40, 3, seed, intercept=False)
    X[:, 0] *= 2.0**scale
    M, _ = affine_map(factor_of(X, y), step_size=math.inf, l2=0.0, local_steps=steps)
    assert np.abs(np.linalg.eigvals(M)).max() < 1 + 1e-9


def test_several_targets_of_the_same_rows_have_one_matrix_and_each_its_offset() -> None:
    rng = np.random.default_rng(8)
    rows = rng.uniform(-1, 1, (40, 3))
    factors = [factor_of(rows, rng.uniform(-1, 1, 40)) for _ in range(3)]
    matrix, offsets = affine_maps(factors, step_size=0.4, l2=0.01, local_steps=30)
    for factor, offset in zip(factors, offsets, strict=True):
        own, own_offset = affine_map(factor, step_size=0.4, l2=0.01, local_steps=30)
        np.testing.assert_allclose(matrix, own, atol=1e-12)
        np.testing.assert_allclose(offset, own_offset, atol=1e-12)
