"""The models of several classes, each trained against all others, as one scikit-learn classifier."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.classifier import BoughtClassifier
from deltaml.optional import extra
from protocol.bought_model import BoughtModel

with extra():
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import Tags


class BoughtClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One-vs-rest: each class's probability by its own model, and all of a row divided by their sum.

    `models` are by class, all of the same columns. It is fitted from the start; `fit` changes nothing.
    """

    def __init__(self, models: Mapping[str, BoughtModel]) -> None:
        self.models = models

    @property
    def classes_(self) -> NDArray[np.object_]:
        """The classes in alphabetical order, as scikit-learn has them."""
        return np.array(sorted(self.models), dtype=object)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The models' columns, in the order in which rows must have them."""
        return BoughtClassifier(self.models[self.classes_[0]]).feature_names_in_

    @property
    def n_features_in_(self) -> int:
        """How many columns a row has."""
        return len(self.feature_names_in_)

    def fit(self, X: ArrayLike | Table, y: ArrayLike) -> Self:  # noqa: ARG002  as in pipelines
        """The models stay as they were bought."""
        return self

    def predict_proba(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """m×k in the order of `classes_`; raises and warns as `BoughtClassifier.predict_proba`."""
        each = [BoughtClassifier(self.models[level]).predict_proba(X)[:, 1] for level in self.classes_]
        apart = np.maximum(np.column_stack(each), np.finfo(np.float64).tiny)
        return np.asarray(apart / apart.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike | Table) -> NDArray[np.object_]:
        """The likeliest class of each of m rows; raises as `predict_proba`."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        """They were trained before they were bought."""
        return True

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.classifier_tags.poor_score = True  # on targets that they were not trained to predict
        return tags
