"""`deltaml predict`: a bought model on a file of rows, in the memory of one batch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.options import ROWS_FILE, Json
from services.cli.output import print_json
from services.cli.score_text import score_figures, score_tables
from services.cli.standard_streams import document_stream, visible
from services.common.files import require_new, require_other_file
from services.data.model_file import read_model
from services.data.prediction_files import csv_lines, prediction_file
from services.data.predictions import Quality, Source, open_rows, predict_rows
from services.data.row_files import index_columns, index_note, name_list

_MOST_NAMED = 10
"""Features in one line."""


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, as the demo's --model-out.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help=f"{ROWS_FILE}, with the model's features.")],
    out: Annotated[
        Path | None, typer.Option(help="Write predictions to this new file, .csv or .parquet.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out if it exists.")] = False,
    json: Json = False,
) -> None:
    """Predict the target for every row; with the target in the file, score the model.

    A regression predicts numbers in the target's own units and is scored by MSE, its root, MAE and R². A
    classification predicts the probability of 1 and is scored by accuracy, AUC, log-loss, Brier score,
    confusion matrix and calibration; the target is then to be written as 1 and 0, true and false, yes and no.
    Of several targets each is predicted and scored; of several classes the likeliest is, with the probability
    of each.
    """
    if out is not None:
        require_other_file(out, model, file)
        require_new(out, force=force)
    bought = read_model(model)
    source = open_rows(bought, file)  # a file that cannot be used is told before anything is written
    left_out = index_columns(file)
    if out is not None:
        with prediction_file(out, bought, replace=force) as write:
            quality = predict_rows(source, write)
    else:
        quality = predict_rows(source, None if json else csv_lines(document_stream(), bought))
    if json:
        print_json(_document(source, left_out, quality, out))
    else:
        _tell_columns(source, left_out)
        _tell_quality(quality, err=out is None)  # standard output holds the predictions


def _tell_columns(source: Source, left_out: Sequence[str]) -> None:
    target = name_list(source.model.targets) if source.has_target else "none in the file"
    lines = [f"features: {name_list(source.columns)}; target: {target}", *index_note(left_out)]
    typer.echo(visible("\n".join(lines)), err=True)


def _tell_quality(quality: Quality, *, err: bool) -> None:
    lines = [f"{quality.rows} rows{score_figures(quality.scores)}", *score_tables(quality.scores)]
    typer.echo("\n".join(lines), err=err)
    if quality.outside:
        counts = ", ".join(f"{name} in {count}" for name, count in quality.outside.most_common(_MOST_NAMED))
        more = f" and {len(quality.outside) - _MOST_NAMED} more" if len(quality.outside) > _MOST_NAMED else ""
        typer.echo(visible(f"outside the ranges that the model was trained in: {counts}{more}"), err=True)
    if quality.reason is not None:
        typer.echo(visible(f"the model's error is not told: {quality.reason}"), err=err)


def _document(source: Source, left_out: Sequence[str], quality: Quality, out: Path | None) -> dict[str, Any]:
    return {
        "model": source.model.name,
        "features": list(source.columns),
        "target": source.model.target if source.has_target else None,
        **({"targets": list(source.model.targets)} if source.model.outputs else {}),
        "left_out": list(left_out),
        "rows": quality.rows,
        "mse": quality.mse,
        "r2": quality.r2,
        "scores": quality.scores.figures() if quality.scores.measured else None,
        "not_measured": quality.reason,
        "outside": dict(quality.outside),
        "out": None if out is None else str(out),
    }
