"""Several targets in one training: each as if it were trained by itself, and scikit-learn on the rows."""

from decimal import Decimal

import numpy as np
import pytest

from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.plaintext import OwnerData, pooled_least_squares
from tests.support.deployment.documents import any_request
from tests.support.several import TARGETS, document_of, several_request, some_table, statistic_of, truth_of

NO_ERRORS = PublishedErrors(0.0, 0.0)
BASIS = [{"kind": "interaction", "columns": ["x0", "x1"]}]


def test_each_target_takes_the_steps_of_its_own_training() -> None:
    request, statistic = several_request(TARGETS), statistic_of(some_table())
    matrix, offset = kind_of(request).training_map(request, statistic)
    for place, target in enumerate(TARGETS["targets"]):
        start = {"start": "mean", "value": TARGETS["start"]["values"][place]}
        model = {"kind": "linear_regression", "l2": "0.001"}
        alone = any_request(**document_of(TARGETS, model=model, targets=(), target=target, start=start))
        own, own_offset = kind_of(alone).training_map(alone, statistic)
        block = slice(place * 3, place * 3 + 3)
        np.testing.assert_allclose(matrix[block, block], own, atol=1e-12)
        np.testing.assert_allclose(offset[block], own_offset, atol=1e-12)
        assert request.start_weights()[block] == alone.start_weights()
    assert not matrix[:3, 3:].any()
    assert not matrix[3:, :3].any()


def test_every_target_takes_the_penalty_of_the_round() -> None:
    path = several_request(
        TARGETS, model={"kind": "several_targets", "l2": ["0.5", "0.1"]}, schedule={"rounds": 2}
    )
    one = several_request(TARGETS, model={"kind": "several_targets", "l2": "0.1"}, schedule={"rounds": 2})
    found = kind_of(path).training_map(path, statistic_of(some_table()), 1)
    for part, expected in zip(found, kind_of(one).training_map(one, statistic_of(some_table())), strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_error_is_the_mean_over_targets_each_in_its_declared_range(intercept: bool) -> None:
    table = some_table()
    request = several_request(
        TARGETS, model={"kind": "several_targets", "intercept": intercept}, start={"start": "zero"}
    )
    statistic = statistic_of(table)
    weights = np.random.default_rng(2).normal(size=request.parameters)
    factor = kind_of(request).measuring_factor(request, statistic)
    design = np.column_stack([np.asarray(table["x0"]) / 10, np.asarray(table["x1"]) / 10])
    if intercept:
        design = np.column_stack([design, np.ones(len(design))])
    errors = []
    for place, truth in enumerate(truth_of(table, TARGETS).T):
        center, half = map(float, request.scalings(place)[-1])
        own = weights[place * design.shape[1] :][: design.shape[1]]
        errors.append(np.mean((design @ own - (truth - center) / half) ** 2))
    assert float(np.sum((factor @ np.append(weights, -1)) ** 2)) == pytest.approx(np.mean(errors), rel=1e-9)


def test_rows_that_are_read_for_a_basis_give_the_factor_of_all_targets() -> None:
    table = some_table()
    request = several_request(TARGETS, basis=BASIS)
    plain = statistic_of(table)
    found = kind_of(request).measuring_factor(request, with_fit(request, plain, lambda: [table]))
    weights = np.linalg.lstsq(found[:, :-1], found[:, -1], rcond=None)[0]
    model = kind_of(request).bought(request, weights.tolist(), NO_ERRORS)
    predicted = KINDS["several_targets"].predict(model, model.design(table))
    x0, x1 = np.asarray(table["x0"]), np.asarray(table["x1"])
    design = np.column_stack([x0, x1, x0 * x1, np.ones(len(x0))])
    truth = truth_of(table, TARGETS)
    np.testing.assert_allclose(predicted, design @ np.linalg.lstsq(design, truth, rcond=None)[0], rtol=1e-6)


def test_a_bought_model_predicts_every_target_in_its_own_units() -> None:
    table = some_table()
    request, statistic = several_request(TARGETS), statistic_of(table)
    factor = kind_of(request).training_factor(request, statistic)
    best = pooled_least_squares([OwnerData(factor, 60)])
    model = kind_of(request).bought(request, best.tolist(), NO_ERRORS)
    assert (model.targets, model.weights, model.intercept) == (("rent", "price"), (), None)
    features = model.design(table)
    design = np.column_stack([features, np.ones(len(features))])
    truth = truth_of(table, TARGETS)
    wanted = design @ np.linalg.lstsq(design, truth, rcond=None)[0]
    predicted = KINDS["several_targets"].predict(model, features)
    np.testing.assert_allclose(predicted, wanted, rtol=1e-7)
    scores = KINDS["several_targets"].scores(model)
    scores.add(truth, predicted)
    figures = scores.figures()["targets"]
    assert isinstance(figures, dict)
    assert list(figures) == ["rent", "price"]


def test_the_entries_are_those_that_published_numbers_depend_on() -> None:
    """XᵀX of three columns, one of which is known, 2·3 products with the targets, and one sum of squares."""
    request = several_request(TARGETS)
    assert kind_of(request).statistic_entries(request) == 6 - 1 + 6 + 1
    alone = any_request()
    assert kind_of(alone).statistic_entries(alone) == (alone.parameters + 1) * (alone.parameters + 2) // 2 - 1


def test_bits_are_those_of_the_target_that_needs_most() -> None:
    several = several_request(TARGETS)
    far = several_request(TARGETS, start={"start": "means", "values": ["99", "0"]})
    assert several.weight_bits <= far.weight_bits
    assert far.target_range == Decimal(2)
    assert far.error_unit == 1
