"""`deltaml coefficients`: how sure the weights of a bought model are."""

from pathlib import Path
from typing import Annotated

import typer

from protocol.learning.inference.estimates import CONFIDENCE, Coefficient
from services.cli.options import Json
from services.cli.output import print_json
from services.cli.standard_streams import visible
from services.cli.store_option import ConfigOption, StoreOption, existing_store
from services.cli.tables import print_table
from services.common.files import require_new
from services.data.coefficient_file import write_coefficients
from services.records.stored_inference import CoefficientTable, coefficient_table
from services.records.stored_trainings import find_instance


def coefficients(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING", help="A training's number, or an instance's key.")
    ],
    store: StoreOption = None,
    config: ConfigOption = None,
    out: Annotated[Path | None, typer.Option(help="Write them to this new file too, as CSV.")] = None,
    confidence: Annotated[float, typer.Option(help="Of the intervals, between 0 and 1.")] = CONFIDENCE,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out if it exists.")] = False,
    json: Json = False,
) -> None:
    """Show each weight of a bought model with its standard error, interval and p-value.

    The request has to ask for them, with `inference: true`.
    """
    with existing_store(store, config) as opened:
        table = coefficient_table(opened, find_instance(opened, training), confidence)
    if out is not None:
        require_new(out, force=force)
        write_coefficients(out, table.lines, replace=force)
        typer.echo(visible(f"wrote {out}"), err=True)
    if json:
        print_json(_document(table))
        return
    print_coefficients(table)


def print_coefficients(table: CoefficientTable) -> None:
    """The table, and what it is made of."""
    columns = ("weight of", "weight", "std. error", "from", "to", table.statistic, "p")
    print_table(columns, map(_cells, table.lines), title=_title(table), right=columns[1:])
    found = table.inference
    typer.echo(f"of {found.rows} rows of {found.trainers} trainers; dispersion {found.dispersion:.6g}")


def _title(table: CoefficientTable) -> str:
    degrees = table.inference.degrees
    shape = "normal" if degrees is None else f"Student's t with {degrees:.4g} degrees of freedom"
    return f"intervals of {100 * table.confidence:g} %, {shape}"


def _cells(line: Coefficient) -> tuple[str, ...]:
    figures = (line.weight, line.standard_error, line.low, line.high)
    return (line.name, *(f"{one:.6g}" for one in figures), f"{line.statistic:.3f}", f"{line.p_value:.3g}")


def _document(table: CoefficientTable) -> dict[str, object]:
    found = table.inference
    return {
        "confidence": table.confidence,
        "statistic": table.statistic,
        "degrees": found.degrees,
        "dispersion": found.dispersion,
        "trainers": found.trainers,
        "rows": found.rows,
        "coefficients": [line._asdict() for line in table.lines],
    }
