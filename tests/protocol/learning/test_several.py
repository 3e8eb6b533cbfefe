"""The factor of several targets' weights: rows repeated for each target are the oracle."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from protocol.learning.several import expanded, of_target
from protocol.learning.statistic import Matrix, triangular


def repeated_rows(features: Matrix, targets: Matrix) -> Matrix:
    """[x ⊗ e_k, y_k] for each row x and target k."""
    count = targets.shape[1]
    blocks = [np.column_stack([np.kron(np.eye(count)[k], features), targets[:, k]]) for k in range(count)]
    return np.vstack(blocks)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 20), st.integers(0, 99))
def test_it_has_the_squares_of_rows_repeated_for_each_target(p: int, k: int, rows: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    features, targets = generator.normal(size=(rows, p)), generator.normal(size=(rows, k))
    factor = np.zeros((p + k, p + k))
    found = triangular(np.column_stack([features, targets]))
    factor[: len(found)] = found
    whole, rows_of_all = expanded(factor, k), repeated_rows(features, targets)
    np.testing.assert_allclose(whole.T @ whole, rows_of_all.T @ rows_of_all, atol=1e-9)
    assert np.array_equal(whole, np.triu(whole))
    for target in range(k):
        own = of_target(whole, target, k)
        np.testing.assert_allclose(
            own[:, :p].T @ own, features.T @ np.column_stack([features, targets[:, target]]), atol=1e-9
        )


def test_blocks_are_equal_to_the_last_bit() -> None:
    """One committed number stands for an entry of all of them."""
    factor = triangular(np.random.default_rng(3).normal(size=(9, 6)))
    whole = expanded(factor, 3)
    assert all(np.array_equal(whole[k : k + 3, k : k + 3], factor[:3, :3]) for k in (0, 3, 6))
