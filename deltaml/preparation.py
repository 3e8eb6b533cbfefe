"""From rows as scikit-learn has them to the columns of numbers that a model's weights are for."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from deltaml.arrow_tables import Table, rows_of, with_plain_names
from deltaml.optional import extra
from protocol.preparation import tables as prepared
from protocol.preparation.bases import Basis, all_parameters
from protocol.preparation.columns import Column, NumericColumn
from protocol.preparation.design import design_matrix
from protocol.request_sections import MAXIMUM_FEATURES
from services.common.errors import DataSetError
from services.data.row_reader import kinds_asked

with extra():
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import validate_data


class ColumnPreparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns of a request as a transformer: m rows to the m×p numbers that `BoughtModel.features` names.

    `basis` are the request's curves and products of columns.
    """

    def __init__(self, columns: Sequence[Column], basis: Sequence[Basis] = ()) -> None:
        self.columns = columns
        self.basis = basis

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The columns, in the order in which rows must have them."""
        return np.array([column.name for column in self.columns], dtype=object)

    @property
    def n_features_in_(self) -> int:
        """How many columns a row has."""
        return len(self.columns)

    def fit(self, X: ArrayLike | Table, y: ArrayLike | None = None) -> Self:  # noqa: ARG002  as in pipelines
        """Check that X has the columns; nothing is learned. Raises ValueError for other columns."""
        validate_data(self, X, reset=False, skip_check_array=True)
        return self

    def transform(self, X: ArrayLike | Table) -> NDArray[np.float64]:
        """As m×p; raises ValueError for a value that the columns do not map."""
        return design_matrix(self.columns, table_of(self, self.columns, X), self.basis)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """What each of the p columns of numbers is."""
        made = all_parameters(self.columns, self.basis, MAXIMUM_FEATURES)
        return np.array([parameter.name for parameter in made], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """There is nothing to learn."""
        return True

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect."""
        return with_kinds(super().__sklearn_tags__(), self.columns)


def with_kinds(tags: Tags, columns: Sequence[Column]) -> Tags:
    """Tags of an estimator that needs no fitting and takes rows of these columns."""
    tags.requires_fit = False
    tags.input_tags.allow_nan = any(column.missing != "refuse" for column in columns)
    tags.input_tags.string = tags.input_tags.categorical = any(
        column.kind == "categorical" for column in columns
    )
    return tags


def table_of(estimator: BaseEstimator, columns: Sequence[Column], X: ArrayLike | Table) -> prepared.Table:
    """Rows of the columns: a table has their names, an array their order.

    Raises ValueError for other columns, and for values that are not of their kinds.
    """
    X = with_plain_names(X)
    if all(isinstance(column, NumericColumn) for column in columns):
        finite = "allow-nan" if any(column.missing != "refuse" for column in columns) else True
        rows = validate_data(estimator, X, reset=False, dtype=np.float64, ensure_all_finite=finite)
        return dict(zip((column.name for column in columns), rows.T, strict=True))
    validate_data(estimator, X, reset=False, skip_check_array=True)
    if not isinstance(X, Table):
        X = _named(columns, np.asarray(X, dtype=object))
    try:
        return rows_of("X", X, kinds_asked(columns))
    except DataSetError as error:
        raise ValueError(str(error)) from None


def _named(columns: Sequence[Column], rows: NDArray[Any]) -> pa.Table:
    """An array of objects, nan for gaps, as a table."""
    cells = {
        column.name: pa.array(values, from_pandas=True)
        for column, values in zip(columns, rows.T, strict=True)
    }
    return pa.table(cells)
