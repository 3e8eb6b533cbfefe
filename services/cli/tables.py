"""Tables and lines on a terminal, in which nothing that people copy or compare is broken."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.standard_streams import visible, writable
from services.common.times import format_time

_NARROWEST = 40
"""Below so many columns a table would leave out some of its own."""

_READABLE = 12
"""A column is as wide as the longest of its words, or at least so wide."""

_BORDER = 3
_WHOLE = re.compile(r"\S*(?:0x[0-9a-fA-F]{8}|[0-9a-fA-F]{32}|\d{4}-\d\d-\d\dT\d\d:)\S*")
"""A word that is copied or compared as a whole: an address, a hash, a key, a time."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    cells: tuple[str, ...]
    is_number: bool

    @property
    def least(self) -> int:
        """The width below which it cannot be read."""
        if self.is_number:
            return max(map(len, [*self.name.split(), *self.cells]))
        words = [word for text in (self.name, *self.cells) for word in text.split()]
        whole = [len(word) for word in words if _WHOLE.fullmatch(word)]
        return max([*whole, min(max(map(len, words), default=0), _READABLE)])

    @property
    def natural(self) -> int:
        """The width in which no line is broken."""
        return max(cell_len(line) for text in (self.name, *self.cells) for line in text.split("\n"))


def print_table(
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
    empty: str | None = None,
) -> None:
    """A table on standard output; the columns in `right` hold numbers. A cell may be None, or a list.

    Where a line is too short for whole addresses, hashes, times and numbers, each row becomes lines of its
    own, one for each column. Without rows `empty` is told instead, on standard error: what will stand there,
    and when.
    """
    grid = [[_plain(value) for value in row] for row in rows]
    if not grid and empty is not None:
        typer.echo(visible(empty), err=True)
        return
    if title is not None:
        print_words(_plain(title))  # a table's own title is as narrow as the table
    if not grid:
        return
    parts = [
        _Column(name, tuple(row[place] for row in grid), name in right) for place, name in enumerate(columns)
    ]
    room = _width() - _BORDER * len(parts) - 1
    if sum(part.least for part in parts) > room:
        _print_stacked(columns, grid)
    else:
        _print_grid(parts, grid, room)


def print_moments(moments: Iterable[tuple[float, str, str]]) -> None:
    """(when, what, about it): a line for each, or several."""
    for at, name, about in moments:
        print_words(_plain(f"{format_time(at)}  {name}  {about}"), hanging="    ")


def print_words(text: str, *, first: str = "", hanging: str = "") -> None:
    """A text on lines as long as the terminal's, broken between words alone; `first` stands before it."""
    lines = textwrap.wrap(
        text,
        _width(),
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    typer.echo("\n".join(lines or [first.rstrip()]))


def _width() -> int:
    return max(Console().width, _NARROWEST)


def _print_grid(parts: Sequence[_Column], grid: Sequence[Sequence[str]], room: int) -> None:
    table = Table()
    for part, width in zip(parts, _widths(parts, room), strict=True):
        justify: Literal["left", "right"] = "right" if part.is_number else "left"
        table.add_column(part.name, justify=justify, overflow="fold", width=width)
    for row in grid:
        table.add_row(*map(Text, row))
    console = Console()
    console.width = _width()
    console.print(table)


def _widths(parts: Sequence[_Column], room: int) -> list[int]:
    """What each needs at least; what is left goes first to those that need little more."""
    widths = [part.least for part in parts]
    left, missing = room - sum(widths), [part.natural - part.least for part in parts]
    for count, place in enumerate(sorted(range(len(parts)), key=missing.__getitem__)):
        more = max(0, min(missing[place], left // (len(parts) - count)))
        widths[place] += more
        left -= more
    return widths


def _print_stacked(columns: Sequence[str], grid: Sequence[Sequence[str]]) -> None:
    width = max(map(len, columns)) + 2
    for number, row in enumerate(grid):
        if number:
            typer.echo("")
        for name, cell in zip(columns, row, strict=True):
            for place, line in enumerate(cell.split("\n") if cell else ()):
                print_words(line, first=("" if place else name).ljust(width), hanging=" " * width)


def _plain(value: object) -> str:
    """Names come from files and other parties: what moves or recolours a terminal is escaped."""
    if isinstance(value, list):
        value = " ".join(value)
    return "" if value is None else writable(visible(str(value)))
