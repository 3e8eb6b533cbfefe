"""`deltaml predict`: a bought model on a file of rows, in the memory of one batch."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Json
from services.cli.output import print_json
from services.common.files import require_other_file
from services.data.model_file import read_model
from services.data.predictions import csv_lines, open_rows, predict_rows, prediction_file


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, as the demo's --model-out.")],
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file with the model's features.")],
    out: Annotated[Path | None, typer.Option(help="Write predictions here: a .csv or .parquet file.")] = None,
    json: Json = False,
) -> None:
    """Predict the target for every row; with the target in the file, tell how wrong the model is."""
    if out is not None:
        require_other_file(out, model, file)
    bought = read_model(model)
    rows = open_rows(bought, file)  # a file that cannot be used is told before anything is written
    column = f"predicted_{bought.target}"
    if out is not None:
        with prediction_file(out, column) as write:
            quality = predict_rows(bought, rows, write)
    else:
        quality = predict_rows(bought, rows, None if json else csv_lines(sys.stdout, column))
    mse, r2 = quality.mse, quality.r2
    if json:
        written = None if out is None else str(out)
        print_json({"model": bought.name, "rows": quality.rows, "mse": mse, "r2": r2, "out": written})
    else:
        figures = "" if mse is None else f", MSE {mse:.6g}"
        figures += "" if r2 is None else f", R² {r2:.6f}"
        typer.echo(f"{quality.rows} rows{figures}", err=out is None)  # standard output holds the predictions
