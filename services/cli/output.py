"""How commands print: tables for people, or one JSON document for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")]


def print_json(value: Any) -> None:
    """One JSON document on standard output; figures that are not finite are null."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """A table on standard output; the columns in `right` hold numbers."""
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    Console().print(table)


def print_line(text: str) -> None:
    """A line on standard output, as it is."""
    typer.echo(text)


def _plain(cell: str) -> str:
    """Names come from files: square brackets in them are no markup."""
    return cell.replace("[", r"\[")
