"""What a bought model of any kind is to scikit-learn: an estimator that was fitted before it was bought."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table
from deltaml.optional import extra
from deltaml.preparation import table_of, with_kinds
from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from protocol.preparation.design import outside_counts
from protocol.preparation.tables import row_count
from services.data.model_file import write_model

with extra():
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags
    from sklearn.utils.validation import check_consistent_length

if TYPE_CHECKING:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import Pipeline


class OutsideRangeWarning(UserWarning):
    """Rows lie outside the ranges that a model was trained in: there it extrapolates."""


class BoughtEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of `BoughtRegressor` and `BoughtClassifier`.

    It is fitted from the start and stays as it is, like scikit-learn's `FrozenEstimator`. The only parameter
    is the model itself.
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

    def _check_rows(self, X: ArrayLike | Table, truth: NDArray[np.float64]) -> None:
        """Raises ValueError unless X has the model's columns and as many rows as there are targets."""
        table = table_of(self, self.model.columns, X)
        check_consistent_length(range(row_count(table)), truth)

    def _expected(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """The expected target for each of m rows; see `predict` of the estimators, which call this."""
        table = table_of(self, self.model.columns, X)
        features = self.model.design(table)
        outside = outside_counts(self.model.columns, table)
        if outside:
            counts = ", ".join(f"{name!r} in {count}" for name, count in outside.most_common(10))
            text = (
                f"of {len(features)} rows some lie outside the ranges that the model was trained in: {counts}"
            )
            warnings.warn(text, OutsideRangeWarning, stacklevel=3)
        return KINDS[self.model.kind].predict(self.model, features)

    def save(self, path: Path | str, *, replace: bool = False) -> None:
        """Write the model file, readable by its owner alone; `load_model` and `deltaml predict` read it.

        Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
        """
        write_model(path, self.model, replace=replace)

    def to_sklearn(self) -> "LinearRegression | LogisticRegression | Pipeline":
        """The same model as scikit-learn's own; whoever unpickles it needs no deltaml.

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
        return with_kinds(super().__sklearn_tags__(), self.model.columns)
