"""A bought model as estimators of scikit-learn."""

from typing import Any

import numpy as np

from deltaml.optional import extra
from deltaml.preparation import ColumnPreparation
from protocol.bought_model import BoughtModel, TargetWeights
from protocol.preparation.columns import Column, NumericColumn

with extra():
    from sklearn.linear_model import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import LabelBinarizer


def as_sklearn(model: BoughtModel) -> Any:
    """A fitted regression of scikit-learn, of the model's kind, with its weights in the features' own units.

    Where rows are prepared before (levels, dates, gaps, logarithms, clipped values, curves), a pipeline of
    that preparation, which is deltaml's, and of the regression. Neither knows the ranges of the
    training, so they warn of nothing.
    """
    regression = _fitted(model)
    regression.n_features_in_ = len(model.features)
    if not model.basis and all(_is_plain(column) for column in model.columns):
        for one in (regression, *getattr(regression, "estimators_", ())):
            one.feature_names_in_ = np.array(model.features, dtype=object)
        return regression
    return Pipeline([("columns", ColumnPreparation(model.columns, model.basis)), ("weights", regression)])


def _fitted(model: BoughtModel) -> Any:
    if model.outputs:
        return _fitted_classes(model) if model.kind == "several_classes" else _fitted_targets(model)
    if model.kind in ("binary_classification", "logistic_regression"):
        classification = LogisticRegression()
        classification.classes_ = np.array([0, 1])
        classification.coef_ = np.array([model.weights])
        classification.intercept_ = np.array([model.intercept])
        return classification
    regression = _unfitted(model)
    regression.coef_ = np.array(model.weights)
    regression.intercept_ = model.intercept or 0.0
    return regression


def _fitted_targets(model: BoughtModel) -> LinearRegression:
    regression = LinearRegression(fit_intercept=model.outputs[0].intercept is not None)
    regression.coef_ = np.array([one.weights for one in model.outputs])
    regression.intercept_ = np.array([one.intercept or 0.0 for one in model.outputs])
    return regression


def _fitted_classes(model: BoughtModel) -> OneVsRestClassifier:
    """Scikit-learn divides the probabilities of a row by their sum as well."""
    whole = OneVsRestClassifier(LogisticRegression())
    levels = [one.target_level or "" for one in model.outputs]
    whole.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(levels)
    whole.classes_ = whole.label_binarizer_.classes_
    by_level = dict(zip(levels, model.outputs, strict=True))
    whole.estimators_ = [_of_class(by_level[str(level)]) for level in whole.label_binarizer_.classes_]
    return whole


def _of_class(one: TargetWeights) -> LogisticRegression:
    classification = LogisticRegression()
    classification.classes_ = np.array([0, 1])
    classification.coef_, classification.intercept_ = np.array([one.weights]), np.array([one.intercept])
    classification.n_features_in_ = len(one.weights)
    return classification


def _unfitted(model: BoughtModel) -> LinearRegression | PoissonRegressor | GammaRegressor:
    """With the model's link; scikit-learn keeps a generalized model's in what `fit` makes.

    Log hazards are the predictors themselves. Negative binomial counts, which it does not have, are predicted
    as Poisson's are: by e to the predictor.
    """
    if model.kind in ("linear_regression", "cox_regression"):
        return LinearRegression(fit_intercept=model.intercept is not None)
    regression = GammaRegressor() if model.kind == "gamma_regression" else PoissonRegressor()
    regression._base_loss = regression._get_loss()  # noqa: SLF001  no public name
    return regression


def _is_plain(column: Column) -> bool:
    """Whether its numbers are the model's own."""
    return (
        isinstance(column, NumericColumn)
        and not column.log
        and column.missing == "refuse"
        and column.outside == "refuse"
    )
