"""Several classes in one training: the same log-odds as a training of each, where errors are alike."""

import numpy as np
import pytest

from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.plaintext import OwnerData, pooled_least_squares
from protocol.learning.scores.several_classes import SeveralClassesScores
from protocol.requirements import mismatches
from tests.support.deployment.documents import any_request
from tests.support.roles.pure_party import make_data_set
from tests.support.several import (
    CLASSES,
    LEVELS,
    SHARES,
    document_of,
    several_request,
    some_table,
    statistic_of,
    truth_of,
)


def test_each_class_is_trained_against_the_rest() -> None:
    request, statistic = several_request(CLASSES), statistic_of(some_table())
    matrix, offset = kind_of(request).training_map(request, statistic)
    for place, level in enumerate(LEVELS):
        alone = any_request(
            **document_of(
                CLASSES,
                model={"kind": "binary_classification", "l2": "0.001"},
                target={"name": "grower", "kind": "boolean", "level": level},
                start={"start": "mean", "value": SHARES[place]},
            )
        )
        own, own_offset = kind_of(alone).training_map(alone, statistic)
        block = slice(place * 3, place * 3 + 3)
        np.testing.assert_allclose(matrix[block, block], own, atol=1e-12)
        np.testing.assert_allclose(offset[block], own_offset, atol=1e-12)
        assert request.start_weights()[block] == alone.start_weights()


def test_a_class_of_the_mean_spread_has_the_log_odds_of_its_own_training() -> None:
    """With shares of a third each, every class gets the published mean as its error."""
    thirds = ["0.3333", "0.3333", "0.3334"]
    request = several_request(CLASSES, start={"start": "means", "values": thirds})
    weights = [0.1 * place for place in range(9)]
    errors = PublishedErrors(0.2, 0.1)
    model = kind_of(request).bought(request, weights, errors)
    alone = any_request(
        **document_of(
            CLASSES,
            model={"kind": "binary_classification"},
            target={"name": "grower", "kind": "boolean", "level": "Bianchi"},
            start={"start": "mean", "value": "0.3333"},
        )
    )
    share = 0.3333
    published = PublishedErrors(share * (1 - share), 0.1)
    wanted = kind_of(alone).bought(alone, weights[3:6], published)
    assert model.outputs[1].weights == pytest.approx(wanted.weights, rel=1e-3)
    assert model.outputs[1].intercept == pytest.approx(wanted.intercept, rel=1e-3)


def test_probabilities_of_a_row_make_one_and_the_likeliest_class_is_predicted() -> None:
    table = some_table(count=400)
    request, statistic = several_request(CLASSES), statistic_of(table)
    factor = kind_of(request).training_factor(request, statistic)
    best = pooled_least_squares([OwnerData(factor, 400)])
    residual = kind_of(request).measuring_factor(request, statistic) @ np.append(best, -1)
    error = float(request.error_unit) * float(residual @ residual)
    model = kind_of(request).bought(request, best.tolist(), PublishedErrors(0.22, error))
    kind, truth = KINDS["several_classes"], truth_of(table, CLASSES)
    predicted = kind.predict(model, model.design(table))
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    scores = kind.scores(model)
    scores.add(truth, predicted)
    assert isinstance(scores, SeveralClassesScores)
    assert scores.accuracy is not None
    assert scores.accuracy == np.mean(predicted.argmax(axis=1) == truth.argmax(axis=1)) > 0.65


def test_log_odds_far_out_have_probabilities_all_the_same() -> None:
    predicted = KINDS["several_classes"].expected(np.array([[-1e9, -1e9, -2e9], [1e9, 5.0, -5.0]]))
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    assert predicted[1].argmax() == 0


def test_an_owner_with_another_class_does_not_serve() -> None:
    """Its rows would count against every class, and be paid for."""
    card = make_data_set(statistic_of(some_table())).card
    assert mismatches(several_request(CLASSES), card) == ()
    target = {"name": "grower", "kind": "categorical", "levels": [*LEVELS[:2], "Neri"]}
    [reason] = mismatches(several_request(CLASSES, target=target), card)
    assert "Verdi" in str(reason)


def test_what_all_classes_make_together_is_no_unknown() -> None:
    """Indicators of all classes add up to one, so the last one's products follow from the others'."""
    request = several_request(CLASSES)
    assert kind_of(request).statistic_entries(request) == 6 - 1 + 9 + 1
