"""What shuffled targets earn of each kind, by the rows of an owner a feature."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from protocol.learning.kinds.registry import KINDS
from protocol.links import FITTED
from protocol.request_kinds import WITH_EVENTS
from protocol.request_targets import SEVERAL
from services.data.few_rows import ROWS_PER_FEATURE
from tests.benchmarks.cases import OWNERS, Case, visits
from tests.benchmarks.cheating import CHEATS, share
from tests.benchmarks.several_cases import drawn_of_several

Matrix = NDArray[np.float64]

FEATURES = 8
ROWS_EACH = (2, 5, 10, 20, 40)
"""Rows of an owner, for each feature and the intercept."""

_EFFECT: Mapping[str, float] = {
    "linear_regression": 1.0,
    "binary_classification": 1.5,
    "logistic_regression": 1.5,
    "poisson_regression": 0.5,
    "gamma_regression": 0.5,
    "negative_binomial_regression": 0.6,
    "cox_regression": 1.0,
}
"""Standard deviation of the linear predictor: between a quarter and a half of the deviance is explained."""


_ENDED = 0.7
"""Share of drawn times until an event at which it came; the others end as early by chance."""


def _classes(generator: np.random.Generator, predictor: Matrix) -> Matrix:
    return np.asarray(generator.random(len(predictor)) < 1 / (1 + np.exp(-predictor)), dtype=np.float64)


_DRAWN: Mapping[str, Callable[[np.random.Generator, Matrix], Matrix]] = {
    "linear_regression": lambda generator, t: t + generator.normal(0, 1.2, len(t)),
    "binary_classification": _classes,
    "logistic_regression": _classes,
    "poisson_regression": lambda generator, t: generator.poisson(3 * np.exp(t)),
    "gamma_regression": lambda generator, t: generator.gamma(2.0, np.exp(t) / 2) + 0.001,
    "negative_binomial_regression": lambda generator, t: generator.poisson(
        3 * np.exp(t) * generator.gamma(2.0, 0.5, len(t))
    ),
    "cox_regression": lambda generator, t: generator.exponential(np.exp(-t)),
}


def rows_drawn(kind: str, each: int, seed: int) -> Case:
    """Five owners' rows of eight features in [−1, 1] and a target of the family, or several."""
    generator, count = np.random.default_rng(seed), OWNERS * each * (FEATURES + 1)
    features = generator.uniform(-1, 1, (count, FEATURES))
    if kind in SEVERAL:
        return drawn_of_several(kind, features, generator)
    slopes = np.full(FEATURES, _EFFECT[kind] * np.sqrt(3 / FEATURES))
    target = np.asarray(_DRAWN[kind](generator, features @ slopes), dtype=np.float64)
    names = tuple(f"feature {place}" for place in range(FEATURES))
    case = visits()
    if kind in WITH_EVENTS:
        ended = generator.random(count) < _ENDED
        rows = np.column_stack([features, ended, target])
        return replace(
            case, title="Drawn", kind=kind, names=(*names, "ended", "target"), rows=rows, event="ended"
        )
    rows = np.column_stack([features, target])
    return replace(case, title="Drawn", kind=kind, names=(*names, "target"), rows=rows)


def shuffled_shares(kind: str, seeds: int) -> dict[int, tuple[float, float]]:
    """By rows a feature: mean and largest share of the contribution pot of one of three trainers."""
    cheat = CHEATS["shuffled targets"]
    found = {
        each: [share(rows_drawn(kind, each, seed), cheat, seed) for seed in range(seeds)]
        for each in ROWS_EACH
    }
    return {each: (float(np.mean(row)), max(row)) for each, row in found.items()}


def curved_share(kind: str, seeds: int) -> tuple[float, float]:
    """Mean and largest, with a spline of each column, at the fewest rows that are not warned of."""
    cheat, each = CHEATS["shuffled targets"], ROWS_PER_FEATURE[kind]
    splines = tuple(
        {"kind": "spline", "column": f"feature {place}", "form": "cubic", "knots": ["-0.5", 0, "0.5"]}
        for place in range(FEATURES)
    )
    found = [
        share(replace(rows_drawn(kind, each, seed), basis=splines), cheat, seed) for seed in range(seeds)
    ]
    return float(np.mean(found)), max(found)


def markdown(seeds: int) -> str:
    """The section's text."""
    lines = [
        "What one of three trainers with shuffled targets earns of the contribution pot, mean and",
        f"largest of {seeds} seeds; {FEATURES} drawn features explain a quarter to a half of the deviance,",
        "of times until an event less, since most of it is there with any model; two targets, and three",
        "classes, have nothing to do with each other; rows of each owner for each feature and the intercept.",
        "",
        f"| rows | {' | '.join(f'`{kind}`' for kind in KINDS)} |",
        f"| ---: |{' ---: |' * len(KINDS)}",
    ]
    shares = {kind: shuffled_shares(kind, seeds) for kind in KINDS}
    for each in ROWS_EACH:
        cells = [f"{shares[kind][each][0]:.1%}, {shares[kind][each][1]:.0%}" for kind in KINDS]
        lines.append(f"| {each} | {' | '.join(cells)} |")
    lines += [
        "",
        f"With splines of all {FEATURES} columns, at the fewest rows that least squares are not warned of:",
        "",
        "| kind | rows a feature | mean | largest |",
        "| --- | ---: | ---: | ---: |",
    ]
    for kind in (one for one in KINDS if one not in FITTED):
        mean, most = curved_share(kind, seeds)
        lines.append(f"| `{kind}` | {ROWS_PER_FEATURE[kind]} | {mean:.1%} | {most:.0%} |")
    return "\n".join(lines) + "\n"
