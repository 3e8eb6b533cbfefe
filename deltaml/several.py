"""A bought model of several targets, or of several classes, to scikit-learn."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.estimator import BoughtEstimator
from deltaml.optional import extra
from protocol.bought_model import BoughtModel

with extra():
    from sklearn.base import ClassifierMixin, RegressorMixin
    from sklearn.utils import Tags


class _BoughtSeveral(BoughtEstimator):
    """Weights of K targets, K×p by `model.features`, in the columns' own units."""

    @property
    def coef_(self) -> NDArray[np.float64]:
        """K×p: the weights of each target, of classes those of its log-odds."""
        return np.array([one.weights for one in self.model.outputs])

    @property
    def intercept_(self) -> NDArray[np.float64]:
        """K intercepts; zeros for a model without them."""
        return np.array([one.intercept or 0.0 for one in self.model.outputs])


class BoughtTargets(RegressorMixin, _BoughtSeveral):  # type: ignore[misc]
    """Predicts several targets with a model that was trained on rows which nobody here has seen.

    It is fitted from the start and stays as it is; `fit` checks the columns and changes nothing. `targets_`
    names what its predictions are of, in their order.

    >>> import pandas as pd
    >>> from deltaml import BoughtModel, BoughtTargets
    >>> from protocol.bought_model import TargetWeights
    >>> rent = TargetWeights(target="rent", weights=(10.0,), intercept=200.0)
    >>> price = TargetWeights(target="price", weights=(2000.0,), intercept=30000.0)
    >>> flats = BoughtModel(
    ...     name="flats",
    ...     kind="several_targets",
    ...     features=("metres",),
    ...     target="rent",
    ...     weights=(),
    ...     intercept=None,
    ...     outputs=(rent, price),
    ... )
    >>> BoughtTargets(flats).predict(pd.DataFrame({"metres": [70.0]})).tolist()
    [[900.0, 170000.0]]
    """

    def __init__(self, model: BoughtModel) -> None:
        super().__init__(model)

    @property
    def targets_(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return self.model.targets

    def fit(self, X: ArrayLike | Table, y: ArrayLike) -> Self:
        """Check that X (m rows) has the model's columns and y m rows of K numbers; the model stays as it is.

        Raises ValueError for other columns or targets, and for values that the model does not map.
        """
        truth = np.asarray(y, dtype=np.float64)
        if truth.ndim != 2 or truth.shape[1] != len(self.model.outputs):
            raise ValueError(f"y of shape {truth.shape}; {len(self.model.outputs)} columns expected")
        self._check_rows(X, truth)
        return self

    def predict(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """m×K in the order of `targets_`, in their own units; as `BoughtRegressor.predict` otherwise."""
        return self._expected(X)

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output, tags.target_tags.multi_output = False, True
        tags.regressor_tags.poor_score = True  # on targets that it was not trained to predict
        return tags


class BoughtSeveralClasses(ClassifierMixin, _BoughtSeveral):  # type: ignore[misc]
    """Probabilities of several classes, one against the rest, all of a row divided by their sum.

    It is fitted from the start and stays as it is; `fit` checks the columns and changes nothing.
    """

    def __init__(self, model: BoughtModel) -> None:
        super().__init__(model)

    @property
    def classes_(self) -> NDArray[np.object_]:
        """The levels in the request's order, which is that of `coef_` and of probabilities."""
        return np.array([one.target_level for one in self.model.outputs], dtype=object)

    def fit(self, X: ArrayLike | Table, y: ArrayLike) -> Self:
        """Check that X (m rows) has the model's columns and y m of its levels; the model stays as it is.

        Raises ValueError for other columns, for values that the model does not map, and for other levels.
        """
        truth, known = np.asarray(y, dtype=object), set(self.classes_)
        strange = [str(level) for level in truth.ravel() if level not in known]
        if strange:
            raise ValueError(f"y has {strange[0][:60]!r}; this model tells {', '.join(self.classes_)} apart")
        self._check_rows(X, truth)
        return self

    def predict_proba(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """m×K in the order of `classes_`; raises and warns as `BoughtClassifier.predict_proba`."""
        return self._expected(X)

    def predict(self, X: ArrayLike | Table) -> NDArray[np.object_]:
        """The likeliest level of each of m rows; raises as `predict_proba`."""
        return np.asarray(self.classes_[self._expected(X).argmax(axis=1)])

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # on targets that it was not trained to predict
        return tags
