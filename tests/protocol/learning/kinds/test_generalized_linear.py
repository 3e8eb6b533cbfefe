"""Kinds with a link: what an owner gives, and what the buyer gets."""

from decimal import Decimal

import numpy as np
import pytest

from protocol.errors import MisuseError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.scores.classification import ClassificationScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.links import LINKS
from tests.support.generalized import WEIGHTS, request_of, rows_of, statistic_of, table_of

ERRORS = PublishedErrors(1.0, 0.5)


@pytest.mark.parametrize("kind", LINKS)
def test_the_factors_are_those_of_the_fit(kind: str) -> None:
    request, rows = request_of(kind), rows_of(kind)
    statistic = with_fit(request, statistic_of(rows), lambda: [table_of(rows)])
    assert statistic.fitted is not None
    assert kind_of(request).training_factor(request, statistic) is statistic.fitted.training
    assert kind_of(request).measuring_factor(request, statistic) is statistic.fitted.measuring
    assert kind_of(request).statistic_entries(request) == 10


@pytest.mark.parametrize("kind", LINKS)
def test_rows_that_were_not_fitted_are_no_factor(kind: str) -> None:
    request, statistic = request_of(kind), statistic_of(rows_of(kind))
    for factor in (kind_of(request).training_factor, kind_of(request).measuring_factor):
        with pytest.raises(MisuseError, match="read them again"):
            factor(request, statistic)


@pytest.mark.parametrize("kind", LINKS)
def test_what_is_delivered_predicts_by_the_link(kind: str) -> None:
    request, rows = request_of(kind), rows_of(kind)
    half = float(request.scalings()[-1].half)
    model = kind_of(request).bought(request, [weight / half for weight in WEIGHTS], ERRORS)
    assert (model.kind, [*model.weights, model.intercept]) == (kind, pytest.approx(list(WEIGHTS)))
    predictor = rows[:, :2] @ WEIGHTS[:2] + WEIGHTS[2]
    means = 1 / (1 + np.exp(-predictor)) if kind == "logistic_regression" else np.exp(predictor)
    np.testing.assert_allclose(KINDS[kind].predict(model, model.design(table_of(rows))), means)


def test_each_kind_has_scores_of_its_own() -> None:
    models = {
        kind: kind_of(request_of(kind)).bought(request_of(kind), [0.0, 0.0, 0.0], ERRORS) for kind in LINKS
    }
    scores = {kind: KINDS[kind].scores(model) for kind, model in models.items()}
    assert isinstance(scores["logistic_regression"], ClassificationScores)
    assert scores["poisson_regression"] == DevianceScores("poisson_regression")
    assert scores["negative_binomial_regression"] == DevianceScores(
        "negative_binomial_regression", Decimal("0.5")
    )
