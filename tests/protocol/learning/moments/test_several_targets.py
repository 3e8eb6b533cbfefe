"""Products of several targets' weights: equal entries of a Gram matrix are multiplied once, and no zeros."""

import numpy as np
import pytest

import protocol.learning.moments.products as module
from protocol.crypto.cipher import PrivateKey, combined
from protocol.crypto.commitments import gram_length
from protocol.learning.gram import gram_triangle
from protocol.learning.moments.exchange import MINUS_ONE, answer_length
from protocol.learning.moments.widths import Start, pairs, places
from protocol.learning.scales import ENTRY_SCALE
from protocol.learning.several import expanded
from protocol.learning.statistic import triangular
from tests.support.projections import ProjectedRound

MODELS = [[3, -5, 7, 11, -13, 17], [2, 19, -23, 29, 31, 37]]
START = [1, 2, 3, 4, 5, 6]


def three_targets(private: PrivateKey, start: Start = Start.PUBLIC) -> ProjectedRound:
    """Two weights for each of three targets."""
    models = [*MODELS, START] if start is Start.ENCRYPTED else MODELS
    return ProjectedRound(private, models, 2, start, START, targets=3)


def test_one_target_has_the_places_of_a_triangle() -> None:
    assert places(4) == [((i, j),) for i, j in pairs(5)]


@pytest.mark.parametrize(("parameters", "targets"), [(6, 3), (6, 2), (8, 1), (12, 4)])
def test_places_are_those_of_a_gram_matrix_that_are_not_zero(parameters: int, targets: int) -> None:
    p = parameters // targets
    factor = triangular(np.random.default_rng(4).normal(size=(40, p + targets)))
    whole = expanded(factor, targets)
    gram = whole.T @ whole
    known = places(parameters, targets)
    flat = [pair for place in known for pair in place]
    assert len(set(flat)) == len(flat)
    assert all(i <= j for i, j in flat)
    assert {pair for pair in pairs(parameters + 1) if gram[pair]} == set(flat)
    assert all(np.ptp([gram[pair] for pair in place]) < 1e-12 for place in known)
    assert len(known) == gram_length(parameters, targets)
    committed = gram_triangle(whole, targets)
    for place, entry in zip(known, committed, strict=True):
        assert entry == pytest.approx(gram[place[0]] * 2**ENTRY_SCALE, rel=1e-12)


def test_they_grow_by_the_targets_and_not_by_their_square() -> None:
    """A dense triangle of 4 times 20 weights has 3,321 entries."""
    counts = [gram_length(20 * targets, targets) for targets in (1, 2, 3, 4)]
    assert counts == [231, 251, 271, 291]


@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("rows_from", [0, 99])
def test_products_are_those_of_the_definition(
    wide_private_key: PrivateKey, monkeypatch: pytest.MonkeyPatch, start: Start, rows_from: int
) -> None:
    monkeypatch.setattr(module, "ROWS_FROM", rows_from)
    one = three_targets(wide_private_key, start)
    assert len(one.answer.flat()) == answer_length(one.sets, 6, 3)
    tilde = [[*model, MINUS_ONE] for model in one.models]
    total = [sum(column) for column in zip(*tilde[:2], strict=True)]
    beta = [5, 3, 2, 7, 1]
    for slots, found in zip(one.sets, one.projection().moments, strict=True):
        values = list(range(1, found.size + 1))
        entries = dict(zip(one.widths.places, values, strict=True))
        matrix = np.zeros((7, 7), dtype=object)
        for place, value in entries.items():
            for i, j in place:
                matrix[i, j] = matrix[j, i] = value

        def form(x: list[int], y: list[int], matrix: np.ndarray = matrix) -> int:
            return int(np.array(x, dtype=object) @ matrix @ np.array(y, dtype=object))

        wanted = form([*START, MINUS_ONE], [*START, MINUS_ONE]) if slots.public_start else 0
        for vector, own, cross in slots.members:
            wanted += one.widths.at(own, form(tilde[vector], tilde[vector]))
            if cross is not None:
                wanted += one.widths.at(cross, form(tilde[vector], total))
        assert one.private.decrypt(found.combine(values)) == wanted % one.key.n
        squares = [beta[i] * beta[j] for i in range(2) for j in range(i, 5)] + [4 + 49 + 1]
        assert combined(one.key, found.combination_of_squares(beta)) == found.combine(squares)
