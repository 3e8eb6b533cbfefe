"""Tables with several targets, or with one of several classes, as cases of one training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_wine

from protocol.preparation.tables import Table, Texts, ValueKind
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_sections import DEFAULT_KIND
from services.data.predicted import Aim
from services.data.sample_request import DemoData, DemoOptions, demo_request
from tests.benchmarks.cases import NOBODY, OWNERS, Case, visits

Matrix = NDArray[np.float64]

_EFFECT = {"several_targets": 1.0, "several_classes": 1.5}
"""Standard deviation of each target's linear predictor, of each class's log-odds against none."""

_NOISE = 1.2


@dataclass(frozen=True)
class SeveralCase(Case):
    """The last `targets` columns are predicted; with `classes` one column, whose numbers are their places."""

    targets: int = 1
    classes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many of its columns, which come first, are predicted from."""
        return len(self.names) - self.targets

    def truth(self, rows: Matrix) -> Matrix:
        """The targets of m rows, m×K: of classes which one each row is of."""
        if not self.classes:
            return rows[:, self.features :]
        return np.asarray(np.eye(len(self.classes))[rows[:, -1].astype(np.int64)])

    def kinds(self) -> dict[str, ValueKind]:
        """How its columns are read."""
        found = super().kinds()
        return {**found, self.names[-1]: "text"} if self.classes else found

    def table(self, rows: Matrix) -> Table:
        """Rows by the names of their columns."""
        found = super().table(rows)
        if self.classes:
            found = {**found, self.names[-1]: Texts(rows[:, -1].astype(np.int64), self.classes)}
        return found

    def request(self, data: DemoData, seed: int) -> Request:
        """What a buyer would ask of these rows, by the demo's defaults for each of the targets."""
        each = [self._of_target(data, place, seed) for place in range(len(self.classes) or self.targets)]
        return request_of_several(self.kind, each, self.names[-1], self.classes, self.basis)

    def _of_target(self, data: DemoData, place: int, seed: int) -> Request:
        names = self.names[: self.features]
        target = self.classes[place] if self.classes else self.names[self.features + place]
        parts: list[Table] = []
        for part in data.parts:
            values = part[self.names[-1] if self.classes else target]
            values = values.codes == place if isinstance(values, Texts) else values
            parts.append({**{name: part[name] for name in names}, target: np.asarray(values, np.float64)})
        kinds: dict[str, ValueKind] = dict.fromkeys((*names, target), "number")
        data = DemoData(kinds, Aim(DEFAULT_KIND, (target,)), parts)
        return demo_request(DemoOptions(owners=OWNERS, seed=seed), data, NOBODY)


def request_of_several(
    kind: str, each: Sequence[Request], column: str, classes: Sequence[str], basis: Sequence[Any] = ()
) -> Request:
    """One training for all of what requests of single targets ask; `classes` are the levels of `column`."""
    document: dict[str, Any] = each[0].model_dump(mode="json")
    document["model"] = {**document["model"], "kind": kind}
    document["start"] = {"start": "means", "values": [str(getattr(one.start, "value", 0)) for one in each]}
    if classes:
        document["target"] = {"name": column, "kind": "categorical", "levels": list(classes)}
    else:
        document["targets"] = [one.model_dump(mode="json")["target"] for one in each]
        del document["target"]
    return parse_request({**document, "basis": list(basis)})


def wine_classes() -> SeveralCase:
    """178 wines, 13 measures each: which of three growers is it of?"""
    data = load_wine()
    return _case(
        "Wine of three growers",
        "several_classes",
        (*map(str, data.feature_names), "grower"),
        np.column_stack([data.data, data.target]),
    )


def diabetes_targets() -> SeveralCase:
    """The patients with diabetes: how the disease went on, and their blood pressure, of the nine others."""
    data = load_diabetes(scaled=False)
    names = [str(name) for name in data.feature_names]
    others = [place for place, name in enumerate(names) if name != "bp"]
    return _case(
        "Diabetes and blood pressure",
        "several_targets",
        (*(names[place] for place in others), "progression", "bp"),
        np.column_stack([data.data[:, others], data.target, data.data[:, names.index("bp")]]),
    )


def drawn_of_several(kind: str, features: Matrix, generator: np.random.Generator) -> SeveralCase:
    """Rows with two targets, or one of three classes, whose predictors have nothing to do with each other."""
    count, columns = features.shape
    size = _EFFECT[kind] * np.sqrt(3 / columns)
    signs = np.array([(-1.0) ** (np.arange(columns) >> place) for place in range(3)])
    predictors = features @ (size * signs.T)
    names = tuple(f"feature {place}" for place in range(columns))
    if kind == "several_targets":
        targets = predictors[:, :2] + generator.normal(0, _NOISE, (count, 2))
        return _case("Drawn", kind, (*names, "first", "second"), np.column_stack([features, targets]))
    drawn = (predictors + generator.gumbel(size=predictors.shape)).argmax(axis=1)
    return _case("Drawn", kind, (*names, "class"), np.column_stack([features, drawn]))


def _case(title: str, kind: str, names: tuple[str, ...], rows: Matrix) -> SeveralCase:
    """Without the fields that comparisons with other libraries need."""
    model = visits()
    is_classes = kind == "several_classes"
    return SeveralCase(
        title,
        kind,
        names,
        rows,
        (),
        model.pooled_title,
        model.pooled,
        targets=1 if is_classes else 2,
        classes=("first", "second", "third") if is_classes else (),
    )
