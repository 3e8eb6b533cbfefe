"""How commands print: tables for people, or one JSON document for programs."""

import json as json_module
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.standard_streams import is_unicode, visible, writable

_MOST_LEVELS = 12
"""In a table, where hundreds would hide the other columns."""

_NARROWEST = 40
"""Below so many columns a table would leave out some of its own."""


def print_json(value: Any) -> None:
    """One JSON document on standard output; a figure that is not finite is a bug."""
    typer.echo(json_module.dumps(value, indent=2, ensure_ascii=not is_unicode(), allow_nan=False))


def print_result(document: Any, text: str, *, json: bool) -> None:
    """What a command did: a document for programs, or a text."""
    if json:
        print_json(document)
    else:
        typer.echo(visible(text))


def print_outcome(values: Mapping[str, object], *, json: bool) -> None:
    """What a command did, in one line."""
    print_result(values, join_fields(values, ": "), json=json)


def print_fields(values: Mapping[str, object], *, json: bool = False) -> None:
    """A line for each field."""
    lines = (f"{name.replace('_', ' '):<14}{value}" for name, value in values.items())
    print_result(values, "\n".join(lines), json=json)


def print_records(
    records: Sequence[Mapping[str, object]],
    columns: Mapping[str, str],
    *,
    json: bool,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """Records for programs; for people a table of the fields in `columns`, which has their headings."""
    if json:
        print_json(records)
    else:
        rows = ([record[name] for name in columns] for record in records)
        print_table(tuple(columns.values()), rows, title=title, right=right)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """A table on standard output; the columns in `right` hold numbers. A cell may be None, or a list."""
    table = Table()
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console()
    console.width = max(console.width, _NARROWEST)
    if title is not None:
        console.print(_cell(title), style="italic")  # a table's own title is as narrow as the table
    console.print(table)


def _cell(value: object) -> Text:
    """Names come from files and other parties: square brackets in them are no markup."""
    if isinstance(value, list):
        value = " ".join(value)
    return Text("" if value is None else writable(visible(str(value))))


def join_fields(values: Mapping[str, object], mark: str = "=") -> str:
    """All fields in one line."""
    return ", ".join(f"{name}{mark}{value}" for name, value in values.items())


def named(address: str, names: Mapping[str, str]) -> str:
    """An address, after the name that an operator's configuration has for it."""
    return f"{names[address]} {address}" if address in names else address


def some_levels(levels: Sequence[str]) -> str:
    """A column's levels for a table; of many the first ones, and how many others there are."""
    shown, others = ", ".join(levels[:_MOST_LEVELS]), len(levels) - _MOST_LEVELS
    return f"{shown} and {others} more (--json has all)" if others > 0 else shown


def format_time(seconds: float) -> str:
    """A moment (seconds since 1970) as commands print it: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
