"""How commands print: tables for people, or one JSON document for programs."""

import json as json_module
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from services.cli.standard_streams import is_unicode, visible
from services.cli.tables import print_table

_MOST_LEVELS = 12
"""In a table, where hundreds would hide the other columns."""


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
    empty: str | None = None,
) -> None:
    """Records for programs; for people a table of the fields in `columns`, which has their headings.

    Without records people are told `empty`, as by `print_table`.
    """
    if json:
        print_json(records)
    else:
        rows = ([record[name] for name in columns] for record in records)
        print_table(tuple(columns.values()), rows, title=title, right=right, empty=empty)


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
