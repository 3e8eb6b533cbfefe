"""A bought model as a scikit-learn regressor."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.optional import extra
from deltaml.preparation import table_of, with_kinds
from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from protocol.preparation.design import outside_counts
from protocol.preparation.tables import row_count
from services.data.model_file import read_model, write_model

with extra():
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

if TYPE_CHECKING:
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import Pipeline


class OutsideRangeWarning(UserWarning):
    """Rows lie outside the ranges that a model was trained in: there it extrapolates."""


class BoughtRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
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
        self.model = model

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The model's columns, in the order in which rows must have them."""
        return np.array([column.name for column in self.model.columns], dtype=object)

    @property
    def n_features_in_(self) -> int:
        """How many columns a row has."""
        return len(self.model.columns)

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
        table = table_of(self, self.model.columns, X)
        truth = column_or_1d(y, dtype=np.float64, warn=True)
        assert_all_finite(truth, input_name="y")
        check_consistent_length(range(row_count(table)), truth)
        return self

    def predict(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """The target for each of m rows, in its own units.

        X is a table of the model's columns (`feature_names_in_`), or an array of them in this order. Raises
        ValueError for other columns, and for values that the model does not map; warns of rows outside the
        ranges that the model was trained in (`OutsideRangeWarning`).
        """
        table = table_of(self, self.model.columns, X)
        features = self.model.design(table)
        outside = outside_counts(self.model.columns, table)
        if outside:
            counts = ", ".join(f"{name!r} in {count}" for name, count in outside.most_common(10))
            text = (
                f"of {len(features)} rows some lie outside the ranges that the model was trained in: {counts}"
            )
            warnings.warn(text, OutsideRangeWarning, stacklevel=2)
        return KINDS[self.model.kind].predict(self.model, features)

    def save(self, path: Path | str, *, replace: bool = False) -> None:
        """Write the model file, readable by its owner alone; `load_model` and `deltaml predict` read it.

        Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
        """
        write_model(path, self.model, replace=replace)

    def to_sklearn(self) -> "LinearRegression | Pipeline":
        """The same model as scikit-learn's own LinearRegression; whoever unpickles it needs no deltaml.

        Of a model whose columns are prepared it is the last step of a pipeline; see `as_sklearn`.
        """
        from deltaml.export_sklearn import as_sklearn  # noqa: PLC0415

        return as_sklearn(self.model)

    def to_onnx(self, path: Path | str, *, replace: bool = False) -> None:
        """Write the same model as an ONNX graph with an input for each column; see `deltaml.export_onnx`.

        Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
        """
        from deltaml.export_onnx import as_onnx, write_onnx  # noqa: PLC0415

        write_onnx(as_onnx(self.model), Path(path), replace=replace)

    def __sklearn_is_fitted__(self) -> bool:
        """It was trained before it was bought."""
        return True

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        tags = with_kinds(super().__sklearn_tags__(), self.model.columns)
        tags.regressor_tags.poor_score = True  # on targets that it was not trained to predict
        return tags


def load_model(path: Path | str) -> BoughtRegressor:
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
    return BoughtRegressor(read_model(path))
