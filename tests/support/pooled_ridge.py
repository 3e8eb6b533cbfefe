"""The oracle for models of tables as people have them: scikit-learn's ridge on all trainers' rows."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def taken(table, places):
    """The rows of a table of columns at these places."""
    return {name: [values[place] for place in places] for name, values in table.items()}


def for_sklearn(columns, table):
    """Numbers as floats with nan for gaps, logarithms where the request asks for them; texts as they are."""
    ready = []
    for column in columns:
        values = table[column.name]
        if column.kind == "categorical":
            ready.append(np.array([value or "" for value in values], dtype=object))
        elif column.kind == "date":
            ready.append(np.array(values, dtype="M8[D]").astype(float).astype(object))
        else:
            words = {None: np.nan, "yes": 1.0, "no": 0.0}
            numbers = np.array([words.get(value, value) for value in values], dtype=float)
            is_log = column.kind == "numeric" and column.log
            ready.append((np.log(numbers) if is_log else numbers).astype(object))
    return np.column_stack(ready)


def pooled_ridge(columns):
    """What is done by hand elsewhere: levels as indicators, gaps filled and indicated, scaling, ridge."""
    texts = [place for place, column in enumerate(columns) if column.kind == "categorical"]
    others = [place for place in range(len(columns)) if place not in texts]
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(ColumnTransformer([("l", levels, texts), ("n", numbers, others)]), Ridge(alpha=1.0))
