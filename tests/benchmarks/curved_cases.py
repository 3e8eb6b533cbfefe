"""Tables with curves and products of columns, each beside scikit-learn's transformers on the pooled rows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from tests.benchmarks.cases import RIDGE, Case, diabetes, digits

Matrix = NDArray[np.float64]

_KNOTS = {"bmi": (23, 26, 29), "s5": ("4.2", "4.6", 5)}
_PAIR = ("bmi", "bp")
_WAVES, _LENGTH = 100, 1.0


def diabetes_curves() -> Case:
    """The patients, with splines of body mass and triglycerides and the product of body mass and pressure."""
    case = diabetes()
    splines = tuple(
        {"kind": "spline", "column": name, "form": "cubic", "knots": list(knots)}
        for name, knots in _KNOTS.items()
    )
    return replace(
        case,
        title="Diabetes, with curves",
        basis=(*splines, {"kind": "interaction", "columns": list(_PAIR)}),
        pooled_title="scikit-learn's SplineTransformer, PolynomialFeatures and Ridge",
        pooled=lambda features, target: _splines(case, features, target),
    )


def digits_waves() -> Case:
    """The written digits, with random waves of all squares: is it odd?"""
    case = digits()
    waves = {
        "kind": "fourier",
        "columns": list(case.names[:-1]),
        "number": _WAVES,
        "length_scale": str(_LENGTH),
        "seed": 1,
    }
    return replace(
        case,
        title="Digits, with random waves",
        kind="binary_classification",
        basis=(waves,),
        pooled_title="scikit-learn's RBFSampler and LogisticRegression",
        pooled=_waves,
    )


CURVED_CASES = (diabetes_curves, digits_waves)


def _splines(case: Case, features: Matrix, target: Matrix) -> Callable[[Matrix], Matrix]:
    """The same functions in what they span: knots at the data's ends, and the case's between them."""
    places = {name: [case.names.index(name)] for name in (*_KNOTS, *_PAIR)}
    parts = [
        (SplineTransformer(degree=3, knots=_ends(features[:, place], _KNOTS[name])), place)
        for name, place in places.items()
        if name in _KNOTS
    ]
    pair = [places[name][0] for name in _PAIR]
    product = make_pipeline(StandardScaler(), PolynomialFeatures(interaction_only=True, include_bias=False))
    parts += [(product, pair)]
    transformer = make_column_transformer(*parts, remainder=StandardScaler())
    fitted = make_pipeline(transformer, StandardScaler(), Ridge(alpha=1e-5 * len(target))).fit(
        features, target
    )
    return lambda rows: np.asarray(fitted.predict(rows))


def _ends(values: Matrix, knots: tuple[float | str, ...]) -> Matrix:
    inner = [float(knot) for knot in knots]
    return np.array([values.min(), *inner, values.max()])[:, None]


def _waves(features: Matrix, target: Matrix) -> Callable[[Matrix], Matrix]:
    union = FeatureUnion(
        [
            ("columns", FunctionTransformer()),
            ("waves", RBFSampler(gamma=1 / (2 * _LENGTH**2), n_components=_WAVES, random_state=1)),
        ]
    )
    regression = LogisticRegression(C=1 / (RIDGE * len(target)), max_iter=10_000)
    pipeline = make_pipeline(MinMaxScaler((-1, 1)), union, StandardScaler(), regression).fit(features, target)
    return lambda rows: np.asarray(pipeline.predict_proba(rows)[:, 1])
