"""The tables that kinds of models are measured on, each with what scikit-learn has for the same target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.linear_model import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from protocol.preparation.tables import Table, ValueKind
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_sections import DEFAULT_KIND
from services.data.dispersion import dispersion_of
from services.data.predicted import Aim
from services.data.sample_request import DemoData, DemoOptions, demo_request
from tests.support.hazards import stratified_optimum
from tests.support.regressions import DispersedCounts

Matrix = NDArray[np.float64]
OWNERS = 5
DRAWN = 3
"""Of five owners so many train; the others validate."""

NOBODY = "0x" + "0" * 40
RIDGE = 0.01
"""Of the logistic regression that is compared with, on standardised columns and each row's mean loss."""


@dataclass(frozen=True)
class Case:
    """A table and a kind of model for its target, the last column; `pooled` is fitted on rows and target.

    `basis` are the request's curves and products of columns; `event` is the column before the target, which
    says which times ended with the event.
    """

    title: str
    kind: str
    names: tuple[str, ...]
    rows: Matrix
    figures: tuple[str, ...]
    pooled_title: str
    pooled: Callable[[Matrix, Matrix], Callable[[Matrix], Matrix]]
    basis: tuple[Mapping[str, Any], ...] = ()
    event: str | None = None

    @property
    def is_classification(self) -> bool:
        """Whether the target is 0 or 1."""
        return self.kind in ("binary_classification", "logistic_regression")

    @property
    def features(self) -> int:
        """How many of its columns, which come first, are predicted from."""
        return len(self.names) - (1 if self.event is None else 2)

    @property
    def aim(self) -> Aim:
        """What is predicted: the last column."""
        return Aim(self.kind, self.names[-1:])

    def truth(self, rows: Matrix) -> Matrix:
        """The target of m rows (m); of times until an event with the events beside them (m×2)."""
        return rows[:, -1] if self.event is None else rows[:, [-1, -2]]

    def kinds(self) -> dict[str, ValueKind]:
        """How its columns are read."""
        return dict.fromkeys(self.names, "number")

    def table(self, rows: Matrix) -> Table:
        """Rows by the names of their columns."""
        return dict(zip(self.names, rows.T, strict=True))

    def request(self, data: DemoData, seed: int) -> Request:
        """What a buyer would ask of these rows, by the demo's defaults."""
        request = demo_request(
            DemoOptions(owners=OWNERS, kind=self.kind, seed=seed, event=self.event), data, NOBODY
        )
        if not self.basis:
            return request
        return parse_request({**request.model_dump(mode="json"), "basis": list(self.basis)})


def breast_cancer() -> Case:
    """569 tumours, 30 measures each, benign (1) or malignant (0): the Wisconsin data."""
    data = load_breast_cancer()
    names = (*(str(name) for name in data.feature_names), "benign")
    return Case(
        "Breast cancer",
        "binary_classification",
        names,
        np.column_stack([data.data, data.target]),
        ("accuracy", "auc", "log_loss", "brier"),
        "scikit-learn's LogisticRegression",
        _logistic,
    )


def diabetes() -> Case:
    """442 patients, ten measures each, and how the disease went on."""
    data = load_diabetes(scaled=False)
    return Case(
        "Diabetes",
        DEFAULT_KIND,
        (*data.feature_names, "progression"),
        np.column_stack([data.data, data.target]),
        ("rmse", "mae", "r2"),
        "scikit-learn's LinearRegression",
        lambda features, target: LinearRegression().fit(features, target).predict,
    )


def breast_cancer_odds() -> Case:
    """The same tumours by logistic regression."""
    return replace(breast_cancer(), kind="logistic_regression")


def diabetes_odds() -> Case:
    """The patients with diabetes: whose disease went on faster than half of theirs?"""
    case = diabetes()
    target = case.rows[:, -1]
    return _odds("Diabetes", case.names[:-1], case.rows[:, :-1], "fast", target > np.median(target))


def wine() -> Case:
    """178 wines, 13 measures each: is it of the first of three growers?"""
    data = load_wine()
    return _odds("Wine", data.feature_names, data.data, "first", data.target == 0)


def iris() -> Case:
    """150 irises, four measures each: is it a virginica?"""
    data = load_iris()
    return _odds("Iris", data.feature_names, data.data, "virginica", data.target == 2)


def digits() -> Case:
    """1797 written digits, the ink in 16 squares of each: is it odd?"""
    data = load_digits()
    squares = data.images.reshape(-1, 4, 2, 4, 2).sum(axis=(2, 4)).reshape(-1, 16)
    return _odds("Digits", [f"square {one}" for one in range(16)], squares, "odd", data.target % 2 == 1)


def _odds(title: str, names: Sequence[str], features: Matrix, target: str, ones: NDArray[np.bool_]) -> Case:
    return replace(
        breast_cancer_odds(),
        title=title,
        names=(*map(str, names), target),
        rows=np.column_stack([features, ones]),
    )


def diabetes_amounts() -> Case:
    """The same patients with the disease's progression as an amount whose spread grows with its mean."""
    return replace(
        diabetes(),
        kind="gamma_regression",
        figures=("deviance", "deviance_explained", "rmse"),
        pooled_title="scikit-learn's GammaRegressor",
        pooled=lambda features, target: _scaled(GammaRegressor, features, target),
    )


def visits() -> Case:
    """1000 people drawn with a fixed seed: age, illnesses, distance, income, visits to a doctor in a year."""
    generator, count = np.random.default_rng(17), 1000
    age, illnesses = generator.uniform(18, 90, count), generator.integers(0, 6, count)
    distance, income = generator.uniform(0, 30, count), generator.uniform(10, 90, count)
    mean = np.exp(0.2 + 0.01 * age + 0.25 * illnesses - 0.03 * distance)
    drawn = np.column_stack([age, illnesses, distance, income, generator.poisson(mean)])
    return Case(
        "Visits to a doctor",
        "poisson_regression",
        ("age", "illnesses", "distance", "income", "visits"),
        drawn.astype(np.float64),
        ("deviance", "deviance_explained", "rmse"),
        "scikit-learn's PoissonRegressor",
        lambda features, target: _scaled(PoissonRegressor, features, target),
    )


def dispersed_visits() -> Case:
    """The same people, whose mean numbers of visits vary by gamma factors besides: α = ½."""
    case, generator = visits(), np.random.default_rng(18)
    age, illnesses, distance = case.rows[:, 0], case.rows[:, 1], case.rows[:, 2]
    mean = np.exp(0.2 + 0.01 * age + 0.25 * illnesses - 0.03 * distance)
    counts = generator.poisson(mean * generator.gamma(2.0, 0.5, len(mean)))
    return replace(
        case,
        title="Visits that vary more",
        kind="negative_binomial_regression",
        rows=np.column_stack([case.rows[:, :-1], counts]).astype(np.float64),
        pooled_title="negative binomial regression by Newton's method",
        pooled=_dispersed,
    )


def survival() -> Case:
    """1000 patients drawn with a fixed seed: age, stage, dose, weight; months until death, or until the end.

    The weight tells nothing; a third is alive at the end.
    """
    generator, count = np.random.default_rng(19), 1000
    age, stage = generator.uniform(30, 90, count), generator.integers(1, 5, count)
    dose, weight = generator.uniform(0, 10, count), generator.uniform(45, 110, count)
    hazard = 0.01 * np.exp(0.03 * (age - 60) + 0.5 * (stage - 2) - 0.1 * dose)
    dies, leaves = generator.exponential(1 / hazard), generator.uniform(1, 240, count)
    months = np.maximum(np.round(np.minimum(dies, leaves)), 1.0)
    return Case(
        "Months until death",
        "cox_regression",
        ("age", "stage", "dose", "weight", "died", "months"),
        np.column_stack([age, stage, dose, weight, dies <= leaves, months]).astype(np.float64),
        ("concordance",),
        "Cox regression by Newton's method",
        _hazards,
        event="died",
    )


CASES = (
    breast_cancer,
    breast_cancer_odds,
    diabetes_odds,
    wine,
    iris,
    digits,
    diabetes,
    diabetes_amounts,
    visits,
    dispersed_visits,
    survival,
)


def _scaled(
    regressor: type[PoissonRegressor] | type[GammaRegressor], features: Matrix, target: Matrix
) -> Callable[[Matrix], Matrix]:
    regression = make_pipeline(StandardScaler(), regressor(alpha=0, max_iter=10_000)).fit(features, target)
    return lambda rows: np.asarray(regression.predict(rows))


def _dispersed(features: Matrix, target: Matrix) -> Callable[[Matrix], Matrix]:
    """With the dispersion that a request for these rows has."""
    regression = DispersedCounts(float(dispersion_of(target)))
    return regression.fit(features, target).predict


def _hazards(features: Matrix, truth: Matrix) -> Callable[[Matrix], Matrix]:
    """Of all rows as one stratum."""
    scale = features.std(axis=0)
    slopes = stratified_optimum([np.column_stack([features / scale, truth])]) / scale
    return lambda rows: np.asarray(rows @ slopes)


def _logistic(features: Matrix, target: Matrix) -> Callable[[Matrix], Matrix]:
    regression = LogisticRegression(C=1 / (RIDGE * len(target)), max_iter=10_000)
    fitted = make_pipeline(StandardScaler(), regression).fit(features, target)
    return lambda rows: np.asarray(fitted.predict_proba(rows)[:, 1])
