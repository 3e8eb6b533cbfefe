"""The kind of model that protocol/README.md shows is one, as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest

from protocol.learning.kinds.interface import Kind, PublishedErrors
from protocol.learning.statistic import StatisticBuilder
from tests.support.deployment.documents import any_request

README = Path(__file__).parents[4] / "protocol" / "README.md"
LONGEST_KIND = 120
"""Lines: a kind is one file."""


def shown_kind() -> Kind:
    [block] = re.findall(
        r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(block.splitlines()) < LONGEST_KIND
    namespace: dict[str, type[Kind]] = {}
    exec(block, namespace)  # type: ignore[arg-type]
    return namespace["ShareRegression"]()


def test_the_kind_of_the_readme_trains_measures_and_predicts() -> None:
    kind, wanted = (
        shown_kind(),
        any_request(target={"name": "share", "minimum": 0, "maximum": 1}, start={"start": "zero"}),
    )
    rows = np.random.default_rng(4).uniform((0, 11, 0), (120, 80, 1), (50, 3))
    builder = StatisticBuilder(("age", "bmi", "share"))
    builder.add(rows)
    matrix, offset = kind.training_map(wanted, builder.finish())
    weights = offset
    for _ in range(400):
        weights = matrix @ weights + offset
    model = kind.bought(wanted, weights.tolist(), PublishedErrors(0.0, 0.0))
    design = np.column_stack([rows[:, :2], np.ones(50)])
    best = np.linalg.lstsq(design, rows[:, 2], rcond=None)[0]
    np.testing.assert_allclose(kind.predict(model, rows[:, :2]), np.clip(design @ best, 0, 1), atol=1e-3)
    far = kind.predict(model, np.array([[1e9, 0.0], [-1e9, 0.0]]))
    assert sorted(far) == [0.0, 1.0]
    scores = kind.scores(model)
    scores.add(rows[:, 2], kind.predict(model, rows[:, :2]))
    assert scores.figures()["mse"] == pytest.approx(np.mean((rows[:, 2] - design @ best) ** 2), rel=1e-3)
