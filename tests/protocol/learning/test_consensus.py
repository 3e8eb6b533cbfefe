"""Consensus ADMM in plain numbers: what it converges to, and how long its models can become."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.learning.consensus import Carried, proximal_map
from protocol.learning.plaintext import consensus, federated_averaging
from protocol.scaling import largest_consensus_weight

Matrix = np.ndarray[Any, np.dtype[np.float64]]


def factor(generator: np.random.Generator, p: int, *, rows: int = 30, center: float = 0.0) -> Matrix:
    """R/√m of rows in [−1, 1] around a center, and a target that is no line of them."""
    features = np.clip(generator.normal(center, 0.3, (rows, p)), -1, 1)
    features[:, -1] = 1.0
    target = np.clip(features[:, 0] ** 2 - 0.5 + generator.normal(0, 0.1, rows), -1, 1)
    return np.linalg.qr(np.column_stack([features, target]), mode="r") / np.sqrt(rows)


def optimum(factors: list[Matrix], l2: float) -> Matrix:
    """Of the trainers' losses together, each counted once."""
    curvature = sum(one[:, :-1].T @ one[:, :-1] + l2 * np.eye(len(one) - 1) for one in factors)
    return np.linalg.solve(curvature, sum(one[:, :-1].T @ one[:, -1] for one in factors))


def test_the_map_minimises_the_loss_with_its_distance_from_the_model() -> None:
    one, w = factor(np.random.default_rng(3), 3), np.array([0.5, -0.2, 0.1])
    matrix, offset = proximal_map(one, penalty=0.2, l2=0.01)
    found = matrix @ w + offset
    gradient = one[:, :-1].T @ (one[:, :-1] @ found - one[:, -1]) + 0.01 * found + 0.2 * (found - w)
    assert gradient == pytest.approx(np.zeros(3), abs=1e-12)


def test_unlike_trainers_come_to_the_optimum_of_all_their_rows_and_averages_do_not() -> None:
    generator = np.random.default_rng(5)
    factors = [factor(generator, 2, center=center) for center in (-0.6, 0.0, 0.6)]
    best, start = optimum(factors, 1e-3), np.zeros(2)
    found = consensus(factors, start, penalty=0.05, l2=1e-3, answered=[range(3)] * 500).models
    averages = federated_averaging(factors, start, step_size=1.0, l2=1e-3, local_steps=500, rounds=200).models
    assert found[-1] == pytest.approx(best, abs=1e-6)
    assert np.linalg.norm(averages[-1] - best) > 0.05


def test_duals_start_anew_when_one_that_had_one_is_missing_and_only_then() -> None:
    generator = np.random.default_rng(6)
    factors = [factor(generator, 2, center=center) for center in (-0.5, 0.1, 0.6)]
    settings: dict[str, Any] = {"penalty": 0.05, "l2": 1e-3}
    # The third joins late, which breaks nothing; then the first is missing, and all begin from the mean.
    answered = [[0, 1], [0, 1, 2], [1, 2], [1, 2], [0, 1, 2]]
    found = consensus(factors, np.zeros(2), answered=answered, **settings)
    again = consensus(factors, found.models[3], answered=answered[3:], **settings)
    assert found.models[3:] == pytest.approx(again.models)
    kept = consensus(factors, found.models[2], answered=answered[2:], **settings)
    assert found.models[3] != pytest.approx(kept.models[1])  # here the others had duals


def test_who_carries_a_dual_is_sent_its_own_model_and_everybody_else_the_mean() -> None:
    carried = Carried(("a", "b"), (1.0, 2.0))
    assert [carried.of(one, 0.0) for one in "abc"] == [1.0, 2.0, 0.0]
    assert carried.continues(["a", "b", "c"])
    assert not carried.continues(["b", "c"])
    assert Carried[float]().continues(["c"])


@given(
    seed=st.integers(0, 10**6),
    trainers=st.integers(2, 6),
    rounds=st.integers(1, 12),
    penalty=st.sampled_from(["0.0001", "0.01", "1", "100"]),
    l2=st.sampled_from([0.0, 1e-5, 1.0]),
)
def test_no_model_is_longer_than_the_bound(
    seed: int, trainers: int, rounds: int, penalty: str, l2: float
) -> None:
    """Whatever the rows are: of one row that is nearly nothing the own optimum is far away."""
    generator = np.random.default_rng(seed)
    factors = [
        np.linalg.qr(
            np.column_stack([generator.choice([1e-6, 1e-2, 1.0]) * generator.uniform(-1, 1, (3, 2)), y]),
            mode="r",
        )
        / np.sqrt(3)
        for y in generator.uniform(-1, 1, (trainers, 3))
    ]
    start = generator.uniform(-2, 2, 2)
    found = consensus(factors, start, penalty=float(penalty), l2=l2, answered=[range(trainers)] * rounds)
    bound = largest_consensus_weight(list(map(Decimal, start)), rounds, Decimal(penalty), trainers)
    assert np.linalg.norm(found.models, axis=-1).max() <= bound
    assert np.linalg.norm(found.local_models, axis=-1).max() <= bound
