"""A bought regression as a scikit-learn regressor, and models of any kind out of their files."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.classifier import BoughtClassifier
from deltaml.estimator import BoughtEstimator
from deltaml.optional import extra
from deltaml.several import BoughtSeveralClasses, BoughtTargets
from protocol.bought_model import BoughtModel
from services.data.model_file import read_model

with extra():
    from sklearn.base import RegressorMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import assert_all_finite, column_or_1d


class BoughtRegressor(RegressorMixin, BoughtEstimator):  # type: ignore[misc]
    """Predicts with a model that was trained on rows which nobody here has seen.

    It is fitted from the start and stays as it is, like scikit-learn's `FrozenEstimator`: `fit` checks that
    it is given the model's columns and changes nothing, so that pipelines, `clone` and cross-validation
    work. The only parameter is the model itself. Attributes are scikit-learn's: `feature_names_in_`,
    `n_features_in_`, `coef_` and `intercept_`, in the columns' own units.

    >>> import pandas as pd
    >>> from deltaml import BoughtModel, BoughtRegressor
    >>> rents = BoughtModel(
    ...     name="rents", features=("rooms", "metres"), target="rent", weights=(50.0, 10.0), intercept=200.0
    ... )
    >>> flats = pd.DataFrame({"rooms": [3, 1], "metres": [70, 30]})
    >>> BoughtRegressor(rents).predict(flats).tolist()
    [1050.0, 550.0]
    """

    def __init__(self, model: BoughtModel) -> None:
        super().__init__(model)

    @property
    def coef_(self) -> NDArray[np.float64]:
        """The weights, by `model.features`: a column of texts has one for each level, for instance."""
        return np.array(self.model.weights)

    @property
    def intercept_(self) -> float:
        """The intercept; zero for a model without one."""
        return self.model.intercept or 0.0

    def fit(self, X: ArrayLike | Table, y: ArrayLike) -> Self:
        """Check that X (m rows) has the model's columns and y m numbers; the model stays as it was bought.

        Raises ValueError for other columns, and for values that the model does not map.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        truth = column_or_1d(y, dtype=np.float64, warn=True)
        assert_all_finite(truth, input_name="y")
        self._check_rows(X, truth)
        return self

    def predict(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """The target for each of m rows, in its own units.

        X is a table of the model's columns (`feature_names_in_`), or an array of them in this order. Raises
        ValueError for other columns, and for values that the model does not map; warns of rows outside the
        ranges that the model was trained in (`OutsideRangeWarning`).
        """
        return self._expected(X)

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # on targets that it was not trained to predict
        return tags


_CLASSIFICATIONS = ("binary_classification", "logistic_regression")


Estimator = BoughtRegressor | BoughtClassifier | BoughtTargets | BoughtSeveralClasses


def estimator_of(model: BoughtModel) -> Estimator:
    """The estimator for a model's kind."""
    if model.outputs:
        return BoughtTargets(model) if model.kind == "several_targets" else BoughtSeveralClasses(model)
    return BoughtClassifier(model) if model.kind in _CLASSIFICATIONS else BoughtRegressor(model)


def load_model(path: Path | str) -> Estimator:
    """The estimator of a model file, as `deltaml show --model-out`, the demo and the console write it.

    Raises ConfigurationError when there is none, others can read it, or it is not a model.

    >>> from deltaml import BoughtModel, BoughtRegressor, load_model
    >>> rents = BoughtModel(
    ...     name="rents", features=("rooms", "metres"), target="rent", weights=(50.0, 10.0), intercept=200.0
    ... )
    >>> BoughtRegressor(rents).save("rents.json")
    >>> load_model("rents.json").feature_names_in_.tolist()
    ['rooms', 'metres']
    """
    return estimator_of(read_model(path))
