"""`make bench-models`: every kind of model on tables that scikit-learn ships, against its own on pooled rows.

In plaintext, by the very steps of a training (`learning/plaintext`), since that the encrypted one ends with
the same model is tested elsewhere. Writes RESULTS.md beside this file.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.plaintext import OwnerData
from protocol.request import Request
from services.data.sample_request import DemoData, data_sets_of
from services.sandbox.pooled import fitted, owner_data
from services.sandbox.report import same_in_plaintext
from tests.benchmarks import shuffled
from tests.benchmarks.cases import CASES, DRAWN, OWNERS, Case, table_of
from tests.benchmarks.cheating import shares
from tests.benchmarks.curved_cases import CURVED_CASES

Matrix = NDArray[np.float64]
RESULTS = Path(__file__).with_name("RESULTS.md")


def scores_of(case: Case, truth: Matrix, predicted: Matrix) -> list[float]:
    """The case's figures."""
    scores = KINDS[case.kind].scores()
    scores.add(truth, predicted)
    found: Mapping[str, Any] = scores.figures()
    return [found[name] for name in case.figures]


def bought(request: Request, trainers: Sequence[OwnerData], validators: Sequence[OwnerData]) -> BoughtModel:
    """What these owners would deliver in the request's most rounds: the best round's model."""
    twin = same_in_plaintext(request, trainers, validators, request.schedule.rounds)
    errors = [measured.after for measured in twin.metrics]
    best, unit = int(np.argmin(errors)), float(request.error_unit)
    published = PublishedErrors(unit * twin.metrics[0].start, unit * errors[best])
    return kind_of(request).bought(request, twin.averaging.models[best + 1].tolist(), published)


def one_seed(case: Case, seed: int) -> Iterator[tuple[str, list[float]]]:
    """(model, its figures on 30 % of the rows that nobody trained on)."""
    held_by = case.rows[:, -1] if case.is_classification else None
    given, held = train_test_split(case.rows, test_size=0.3, random_state=seed, stratify=held_by)
    places = np.array_split(np.random.default_rng(seed).permutation(len(given)), OWNERS)
    data = DemoData(case.kinds(), case.names[-1], [table_of(case, given[part]) for part in places])
    request = case.request(data, seed)
    data_sets = [fitted(request, one) for one in data_sets_of(data).values()]
    training, measuring = (
        [owner_data(request, one, measuring=measures) for one in data_sets] for measures in (False, True)
    )
    for title, trainers, validators in (
        (f"{DRAWN} of {OWNERS} owners train", training[:DRAWN], measuring[DRAWN:]),
        (f"all {OWNERS} train, measured on their own rows", training, measuring),
    ):
        model = bought(request, trainers, validators)
        predicted = KINDS[model.kind].predict(model, model.design(table_of(case, held)))
        yield f"DeltaML, {title}", scores_of(case, held[:, -1], predicted)
        rows = given[np.concatenate(places[: len(trainers)])]
        pooled = case.pooled(rows[:, :-1], rows[:, -1])
        compared = f"{case.pooled_title}, rows of {len(trainers)} pooled"
        yield compared, scores_of(case, held[:, -1], pooled(held[:, :-1]))


def means(case: Case, seeds: int) -> dict[str, list[float]]:
    """Each model's figures, mean over the seeds."""
    found: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        for title, figures in one_seed(case, seed):
            found.setdefault(title, []).append(figures)
    return {title: np.mean(figures, axis=0).tolist() for title, figures in found.items()}


def markdown(case: Case, found: Mapping[str, Sequence[float]], seeds: int) -> str:
    """A section of RESULTS.md."""
    earned = shares(case, 2 * seeds)
    lines = [
        f"## {case.title}: `{case.kind}`",
        "",
        f"{len(case.rows)} rows, {len(case.names) - 1} columns; means over {seeds} seeds.",
        "",
        *_rows(
            ("model", *case.figures), {title: [f"{one:.4f}" for one in row] for title, row in found.items()}
        ),
        "",
        f"What one of {DRAWN} trainers earns of the contribution pot, over {2 * seeds} seeds:",
        "",
        *_rows(
            ("what it trains on", "mean", "largest"),
            {title: [f"{one:.1%}" for one in row] for title, row in earned.items()},
        ),
    ]
    return "\n".join(lines) + "\n"


def _rows(heads: Sequence[str], cells: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)}"
    yield from (f"| {title} | {' | '.join(row)} |" for title, row in cells.items())


_HEAD = """\
# How good the models are

Written by `make bench-models`. Each seed holds 30 % of a table's rows out, which all models are scored on and
none is trained on; the rest is dealt to five owners. DeltaML's models are trained by a request's defaults:
columns as the demo declares them, logarithms included, 5 rounds of 500 steps from the target's mean, of which
the best is delivered. The models they are compared with see the rows of all trainers at once.

"""


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Splits of each table.")] = 10,
    out: Annotated[Path, typer.Option(help="Where the tables go.")] = RESULTS,
) -> None:
    """Train, compare, print and write the tables."""
    sections = [
        markdown(case, means(case, seeds), seeds) for case in (make() for make in (*CASES, *CURVED_CASES))
    ]
    text = _HEAD + "\n".join([*sections, shuffled.markdown(2 * seeds)])
    out.write_text(text, encoding="utf-8")
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
