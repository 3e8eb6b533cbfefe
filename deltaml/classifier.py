"""A bought binary classification as a scikit-learn classifier."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.estimator import BoughtEstimator
from deltaml.optional import extra
from protocol.bought_model import BoughtModel

with extra():
    from sklearn.base import ClassifierMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import column_or_1d


class BoughtClassifier(ClassifierMixin, BoughtEstimator):  # type: ignore[misc]
    """Probabilities of a target of 0 and 1, by a model trained on rows which nobody here has seen.

    As scikit-learn's own LogisticRegression it has `classes_`, `coef_` (1×p), `intercept_`, `predict`,
    `predict_proba` and `decision_function`, and `score` is the accuracy. `fit` changes nothing.

    >>> import pandas as pd
    >>> from deltaml import BoughtClassifier, BoughtModel
    >>> model = BoughtModel(
    ...     name="tumours",
    ...     kind="binary_classification",
    ...     features=("radius",),
    ...     target="benign",
    ...     target_kind="boolean",
    ...     weights=(-0.5,),
    ...     intercept=7.0,
    ... )
    >>> tumours = pd.DataFrame({"radius": [10, 14, 20]})
    >>> BoughtClassifier(model).predict(tumours).tolist()
    [1, 1, 0]
    >>> BoughtClassifier(model).predict_proba(tumours)[:, 1].round(2).tolist()
    [0.88, 0.5, 0.05]
    """

    def __init__(self, model: BoughtModel) -> None:
        super().__init__(model)

    @property
    def classes_(self) -> NDArray[np.int64]:
        """Zero and one."""
        return np.array([0, 1])

    @property
    def coef_(self) -> NDArray[np.float64]:
        """1×p: the weights of the log-odds, by `model.features`, in the columns' own units."""
        return np.array([self.model.weights])

    @property
    def intercept_(self) -> NDArray[np.float64]:
        """The log-odds where every feature is zero, as an array of one."""
        return np.array([self.model.intercept or 0.0])

    def fit(self, X: ArrayLike | Table, y: ArrayLike) -> Self:
        """Check that X (m rows) has the model's columns and y m values of 0 and 1; the model stays as it is.

        Raises ValueError for other columns, for values that the model does not map, and for other targets.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        truth = column_or_1d(y, warn=True)
        strange = np.flatnonzero(~np.isin(truth, (0, 1)))
        if len(strange):
            row = int(strange[0])
            raise ValueError(
                f"y[{row}] is {str(truth[row])!r}; this model tells 1 from 0: code the class that it "
                "predicts as 1 and all else as 0"
            )
        self._check_rows(X, truth)
        return self

    def decision_function(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """The log-odds of 1 for each of m rows; above zero 1 is the likelier. Raises as `predict_proba`."""
        probability = self._expected(X)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(probability) - np.log1p(-probability))

    def predict_proba(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """m×2: the probabilities of 0 and of 1 for each of m rows.

        X is a table of the model's columns (`feature_names_in_`), or an array of them in this order. Raises
        ValueError for other columns, and for values that the model does not map; warns of rows outside the
        ranges that the model was trained in (`OutsideRangeWarning`).
        """
        probability = self._expected(X)
        return np.column_stack([1 - probability, probability])

    def predict(self, X: ArrayLike | Table) -> NDArray[np.int64]:
        """The likelier of 0 and 1 for each of m rows; raises as `predict_proba`."""
        return np.asarray(self._expected(X) >= 0.5, dtype=np.int64)

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True  # on targets that it was not trained to predict
        return tags
