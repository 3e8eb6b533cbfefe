"""The budget of several targets by default: a count of equations about what owners commit to."""

from typing import Any

import numpy as np
import pytest

from protocol.learning.gram import gram_triangle
from protocol.learning.kinds.registry import kind_of
from protocol.roles.owner.budget import most_numbers
from protocol.roles.owner.default_budget import FEWEST_OWNERS, safe_in_total
from tests.support.several import CLASSES, TARGETS, several_request, some_table, statistic_of


@pytest.mark.parametrize("content", [TARGETS, CLASSES], ids=["targets", "classes"])
def test_unknowns_are_as_many_as_committed_entries_that_vary_apart(content: dict[str, Any]) -> None:
    """The rank of what owners of random rows commit to, without the constants that all have in common."""
    request = several_request(content, bounds={"min_rows": 1000})
    entries = [_committed(request, seed) for seed in range(60)]
    apart = np.array(entries) - np.mean(entries, axis=0)
    rank = np.linalg.matrix_rank(apart, tol=1e-6)
    assert safe_in_total(request) == FEWEST_OWNERS * rank - 1


def _committed(request: Any, seed: int) -> list[float]:
    factor = kind_of(request).measuring_factor(request, statistic_of(some_table(seed)))
    return [entry / 2**64 for entry in gram_triangle(factor, len(request.outputs))]


def test_the_weights_of_all_targets_are_counted_as_published() -> None:
    two, three = several_request(TARGETS), several_request(CLASSES)
    assert most_numbers(three) - most_numbers(two) == three.parameters - two.parameters == 3
