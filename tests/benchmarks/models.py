"""`make bench-models`: every kind of model on tables that scikit-learn ships, against its own on pooled rows.

In plaintext, by the very steps of a training (`learning/plaintext`); a table of its own says how far the
encrypted ones end from these (`encrypted_kinds`). Writes RESULTS.md beside this file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from tests.benchmarks import encrypted_kinds, incentives, one_training, several_classes, shuffled
from tests.benchmarks.cases import CASES, Case
from tests.benchmarks.curved_cases import CURVED_CASES
from tests.benchmarks.delivered import TRAINED, delivered, places_of
from tests.benchmarks.one_training import ONE_TRAININGS, OneTraining
from tests.benchmarks.sections import renewed, table
from tests.benchmarks.several_classes import SEVERAL, SeveralClasses

Matrix = NDArray[np.float64]
RESULTS = Path(__file__).with_name("RESULTS.md")


def scores_of(case: Case, model: BoughtModel, truth: Matrix, predicted: Matrix) -> list[float]:
    """The case's figures, by the dispersion of the bought model where it has one."""
    scores = KINDS[case.kind].scores(model)
    scores.add(truth, predicted)
    found: Mapping[str, Any] = scores.figures()
    return [found[name] for name in case.figures]


def one_seed(case: Case, seed: int) -> Iterator[tuple[str, list[float]]]:
    """(model, its figures on 30 % of the rows that nobody trained on)."""
    held_by = case.rows[:, -1] if case.is_classification else None
    given, held = train_test_split(case.rows, test_size=0.3, random_state=seed, stratify=held_by)
    places = places_of(len(given), seed)
    for (count, title), model in zip(TRAINED, delivered(case, given, seed), strict=True):
        predicted = KINDS[model.kind].predict(model, model.design(case.table(held)))
        yield f"DeltaML, {title}", scores_of(case, model, case.truth(held), predicted)
        rows = given[np.concatenate(places[:count])]
        pooled = case.pooled(rows[:, : case.features], case.truth(rows))
        compared = f"{case.pooled_title}, rows of {count} pooled"
        yield compared, scores_of(case, model, case.truth(held), pooled(held[:, : case.features]))


def means(case: Case, seeds: int) -> dict[str, list[float]]:
    """Each model's figures, mean over the seeds."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        for title, figures in one_seed(case, seed):
            found.setdefault(title, []).append(figures)
    return {title: np.mean(figures, axis=0).tolist() for title, figures in found.items()}


def _compared(case: Case, seeds: int) -> str:
    rows = f"{len(case.rows)} rows, {case.features} columns"
    return _scored(rows, case.figures, means(case, seeds), seeds)


def _of_classes(several: SeveralClasses, seeds: int) -> str:
    rows = f"{len(several.rows)} rows, {len(several.names)} columns, {several.count} classes, each a training"
    return _scored(rows, several_classes.FIGURES, several_classes.means(several, seeds), seeds)


def _of_one_training(one: OneTraining, seeds: int) -> str:
    rows = f"{len(one.truth)} rows, {len(one.names)} columns, {len(one.targets)} targets in one training"
    return _scored(rows, one.figures, one_training.means(one, seeds), seeds)


def _scored(rows: str, figures: Sequence[str], found: Mapping[str, Sequence[float]], seeds: int) -> str:
    cells = {title: [f"{one:.4f}" for one in row] for title, row in found.items()}
    return "\n".join([f"{rows}; means over {seeds} seeds.", "", *table(("model", *figures), cells)]) + "\n"


def sections(seeds: int) -> dict[str, Callable[[], str]]:
    """What makes each section's text, by its title; ten trainings of 54 columns make do with fewer seeds."""
    cases = [make() for make in (*CASES, *CURVED_CASES)]
    return {
        **{f"{case.title}: `{case.kind}`": partial(_compared, case, seeds) for case in cases},
        **{
            f"{one.title}: one-vs-rest": partial(_of_classes, one, -(-seeds // 4))
            for one in (make() for make in SEVERAL)
        },
        **{
            f"{one.title}: `{one.kind}`": partial(_of_one_training, one, seeds)
            for one in (make() for make in ONE_TRAININGS)
        },
        "Encrypted beside plaintext": encrypted_kinds.markdown,
        "What worse data earn": partial(incentives.markdown, 2 * seeds),
        "Shuffled targets, by rows a feature": partial(shuffled.markdown, 2 * seeds),
    }


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Splits of each table.")] = 10,
    out: Annotated[Path, typer.Option(help="Where the tables go.")] = RESULTS,
    only: Annotated[str, typer.Option(help="Make only sections anew whose titles contain this.")] = "",
) -> None:
    """Train, compare, print and write the tables."""
    text = renewed(sections(seeds), out, only)
    out.write_text(text, encoding="utf-8")
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
