"""Several classes, one-vs-rest: a training for each class against all others, and the likeliest of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from protocol.learning.kinds.registry import KINDS
from tests.benchmarks.cases import RIDGE, Case, breast_cancer
from tests.benchmarks.delivered import TRAINED, delivered, places_of

Matrix = NDArray[np.float64]
Classes = NDArray[np.int64]
Scorer = Callable[[Matrix], Matrix]

FIGURES = ("accuracy", "auc", "log_loss")
"""The AUC is the mean of each class's against all others; the log-loss is of all probabilities of a row."""

_OURS = {
    "logistic_regression": "each owner's own optimum",
    "binary_classification": "least squares",
}
_LEAST = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class SeveralClasses:
    """A table of m rows, and which of `count` classes each is of."""

    title: str
    names: tuple[str, ...]
    rows: Matrix
    target: Classes

    @property
    def count(self) -> int:
        """How many classes there are."""
        return int(self.target.max()) + 1


def digits_of_ten() -> SeveralClasses:
    """1797 written digits, the ink in 64 places of each, without those nearly always white: which is it?"""
    data = load_digits()
    inked = np.flatnonzero((data.data > 0).mean(axis=0) > 0.01)
    return SeveralClasses(
        "Ten digits",
        tuple(f"place {one}" for one in inked),
        data.data[:, inked],
        data.target.astype(np.int64),
    )


def wine_of_three() -> SeveralClasses:
    """178 wines, 13 measures each, of three growers."""
    data = load_wine()
    return SeveralClasses(
        "Wine of three growers", tuple(map(str, data.feature_names)), data.data, data.target.astype(np.int64)
    )


SEVERAL = (digits_of_ten, wine_of_three)


def means(table: SeveralClasses, seeds: int) -> dict[str, list[float]]:
    """Each model's figures on rows that nobody trained on, mean over the seeds."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        for title, figures in one_seed(table, seed):
            found.setdefault(title, []).append(figures)
    return {title: np.mean(figures, axis=0).tolist() for title, figures in found.items()}


def one_seed(table: SeveralClasses, seed: int) -> Iterator[tuple[str, list[float]]]:
    """(model, its figures) of one split: ours by both kinds that predict classes, and scikit-learn's."""
    given, held = train_test_split(
        np.arange(len(table.rows)), test_size=0.3, random_state=seed, stratify=table.target
    )
    truth = table.target[held]
    for kind, manner in _OURS.items():
        each = [_of_class(table, level, kind, given, held, seed) for level in range(table.count)]
        for place, (_count, title) in enumerate(TRAINED):
            predicted = np.column_stack([models[place] for models in each])
            yield f"DeltaML by {manner}, {title}", scores_of(truth, predicted)
    places = places_of(len(given), seed)
    for count, _title in TRAINED:
        rows = given[np.concatenate(places[:count])]
        for title, fit in (
            ("scikit-learn's OneVsRestClassifier of LogisticRegression", _exact),
            ("scikit-learn's LinearRegression of each class", _least_squares),
        ):
            predicted = fit(table.rows[rows], table.target[rows])(table.rows[held])
            yield f"{title}, rows of {count} pooled", scores_of(truth, predicted)


def scores_of(truth: Classes, predicted: Matrix) -> list[float]:
    """The `FIGURES` of m×k probabilities, each row divided by its sum, as `deltaml.BoughtClasses` divides."""
    apart = np.maximum(predicted, _LEAST)
    shares = apart / apart.sum(axis=1, keepdims=True)
    came = shares[np.arange(len(truth)), truth]
    areas = [roc_auc_score(truth == level, predicted[:, level]) for level in range(predicted.shape[1])]
    return [
        float((shares.argmax(axis=1) == truth).mean()),
        float(np.mean(areas)),
        float(-np.log(came).mean()),
    ]


def _of_class(
    table: SeveralClasses, level: int, kind: str, given: Classes, held: Classes, seed: int
) -> list[Matrix]:
    """The probability of a class for the rows that are held out, by both of the models of `delivered`."""
    case = _case(table, level, kind)
    models = delivered(case, case.rows[given], seed)
    rows = case.table(case.rows[held])
    return [KINDS[model.kind].predict(model, model.design(rows)) for model in models]


def _case(table: SeveralClasses, level: int, kind: str) -> Case:
    """The table with a class against all others as its target."""
    rows = np.column_stack([table.rows, table.target == level])
    return replace(
        breast_cancer(), title=table.title, kind=kind, names=(*table.names, f"is {level}"), rows=rows
    )


def _exact(features: Matrix, target: Classes) -> Scorer:
    regression = LogisticRegression(C=1 / (RIDGE * len(target)), max_iter=10_000)
    fitted = make_pipeline(StandardScaler(), OneVsRestClassifier(regression)).fit(features, target)
    return lambda rows: np.asarray(fitted.predict_proba(rows))


def _least_squares(features: Matrix, target: Classes) -> Scorer:
    """Its predictions as they are: below zero they count as no probability at all."""
    fitted = LinearRegression().fit(features, np.eye(int(target.max()) + 1)[target])
    return lambda rows: np.asarray(fitted.predict(rows))
