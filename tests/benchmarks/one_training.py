"""Several classes, or several numbers, as one training, beside scikit-learn's models of all rows at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from protocol.preparation.tables import Table, Texts, ValueKind
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_sections import DEFAULT_KIND
from services.data.dealt_rows import data_sets_of
from services.data.predicted import Aim
from services.data.sample_request import DemoData, DemoOptions, demo_request
from services.sandbox.pooled import owner_data
from tests.benchmarks.cases import DRAWN, NOBODY, OWNERS, RIDGE
from tests.benchmarks.delivered import TRAINED, bought, places_of
from tests.benchmarks.several_cases import request_of_several
from tests.benchmarks.several_classes import SeveralClasses, wine_of_three

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class OneTraining:
    """Features (m×p) and truth (m×K); `pooled` is fitted on both and gives what the figures judge."""

    title: str
    kind: str
    names: tuple[str, ...]
    targets: tuple[str, ...]
    features: Matrix
    truth: Matrix
    figures: tuple[str, ...]
    pooled_title: str
    pooled: Callable[[Matrix, Matrix], Callable[[Matrix], Matrix]]

    def table(self, rows: NDArray[np.int64]) -> Table:
        """Of some rows, as an owner has them."""
        columns = dict(zip(self.names, self.features[rows].T, strict=True))
        if self.kind == "several_classes":
            return {**columns, "class": Texts(self.truth[rows].argmax(axis=1), self.targets)}
        return {**columns, **dict(zip(self.targets, self.truth[rows].T, strict=True))}

    def request(self, given: NDArray[np.int64], seed: int) -> Request:
        """What a buyer would ask of these rows, by the demo's defaults for each of the targets."""
        each = [self._of_target(given, target, seed) for target in range(len(self.targets))]
        return request_of_several(
            self.kind, each, "class", self.targets if self.kind == "several_classes" else ()
        )

    def _of_target(self, given: NDArray[np.int64], target: int, seed: int) -> Request:
        names = (*self.names, self.targets[target])
        rows = np.column_stack([self.features[given], self.truth[given, target]])
        table = dict(zip(names, rows.T, strict=True))
        parts = [
            {name: values[part] for name, values in table.items()} for part in places_of(len(given), seed)
        ]
        data = DemoData(dict.fromkeys(names, "number"), Aim(DEFAULT_KIND, names[-1:]), parts)
        return demo_request(DemoOptions(owners=OWNERS, seed=seed), data, NOBODY)


def wines() -> OneTraining:
    """The wines of three growers, each class against the rest."""
    found: SeveralClasses = wine_of_three()
    return OneTraining(
        "Wine of three growers",
        "several_classes",
        found.names,
        ("first", "second", "third"),
        found.rows,
        np.eye(3)[found.target],
        ("accuracy", "log_loss", "brier"),
        "scikit-learn's LogisticRegression of all classes",
        _logistic,
    )


def diabetes_of_two() -> OneTraining:
    """The patients with diabetes: how the disease went on, and their blood pressure, of the nine others."""
    data = load_diabetes(scaled=False)
    names = [str(name) for name in data.feature_names]
    others = [place for place, name in enumerate(names) if name != "bp"]
    return OneTraining(
        "Diabetes and blood pressure",
        "several_targets",
        tuple(names[place] for place in others),
        ("progression", "bp"),
        data.data[:, others],
        np.column_stack([data.target, data.data[:, names.index("bp")]]),
        ("mean_r2",),
        "scikit-learn's LinearRegression of both",
        lambda features, truth: LinearRegression().fit(features, truth).predict,
    )


ONE_TRAININGS = (wines, diabetes_of_two)


def means(one: OneTraining, seeds: int) -> dict[str, list[float]]:
    """Each model's figures on rows that nobody trained on, mean over the seeds."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        for title, figures in one_seed(one, seed).items():
            found.setdefault(title, []).append(figures)
    return {title: np.mean(figures, axis=0).tolist() for title, figures in found.items()}


def one_seed(one: OneTraining, seed: int) -> dict[str, list[float]]:
    """The figures of one split, by model."""
    stratify = one.truth.argmax(axis=1) if one.kind == "several_classes" else None
    rows = np.arange(len(one.truth))
    given, held = train_test_split(rows, test_size=0.3, random_state=seed, stratify=stratify)
    request, places = one.request(given, seed), places_of(len(given), seed)
    read: ValueKind = "text" if one.kind == "several_classes" else "number"
    kinds: dict[str, ValueKind] = dict.fromkeys(one.names, "number")
    kinds |= dict.fromkeys([column.name for column in request.declared_targets], read)
    aim = Aim(one.kind, tuple(column.name for column in request.declared_targets))
    data = DemoData(kinds, aim, [one.table(given[part]) for part in places])
    owners = list(data_sets_of(data).values())
    found: dict[str, list[float]] = {}
    for wanted, manner in ((request, ""), (_ridged(request), f", λ = {RIDGE}")):
        training, measuring = (
            [owner_data(wanted, each, measuring=measures) for each in owners] for measures in (False, True)
        )
        models = bought(wanted, training[:DRAWN], measuring[DRAWN:]), bought(wanted, training, measuring)
        for model, (_count, title) in zip(models, TRAINED, strict=True):
            predicted = KINDS[one.kind].predict(model, model.design(one.table(held)))
            found[f"DeltaML{manner}, {title}"] = _scored(one, model, one.truth[held], predicted)
    for count, _title in TRAINED:
        rows = given[np.concatenate(places[:count])]
        predicted = one.pooled(one.features[rows], one.truth[rows])(one.features[held])
        scored = _scored(one, models[0], one.truth[held], predicted)
        found[f"{one.pooled_title}, rows of {count} pooled"] = scored
    return found


def _ridged(request: Request) -> Request:
    """By the penalty that the logistic regressions which ours are compared with have."""
    document = request.model_dump(mode="json")
    return parse_request({**document, "model": {**document["model"], "l2": str(RIDGE)}})


def _scored(one: OneTraining, model: BoughtModel, truth: Matrix, predicted: Matrix) -> list[float]:
    scores = KINDS[one.kind].scores(model)
    scores.add(truth, predicted)
    return _chosen(scores.figures(), one.figures)


def _chosen(figures: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    return [float(figures[name]) for name in names]


def _logistic(features: Matrix, truth: Matrix) -> Callable[[Matrix], Matrix]:
    regression = LogisticRegression(C=1 / (RIDGE * len(truth)), max_iter=10_000)
    fitted = make_pipeline(StandardScaler(), regression).fit(features, truth.argmax(axis=1))
    return lambda rows: np.asarray(fitted.predict_proba(rows))
