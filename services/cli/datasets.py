"""`deltaml datasets`: an owner's catalogue. Statistics are kept; the rows stay in the file they came from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from protocol.data_card import DataCard, without_room
from protocol.data_set import revealing, text_columns, text_fault
from protocol.learning.statistic import Statistic
from protocol.preparation.layout import KeptColumn
from services.cli.catalogue_option import (
    CatalogueFolder,
    DaemonConfig,
    DataSetName,
    catalogue_place,
    open_catalogue,
)
from services.cli.data_card import DECLARED, data_card, listing, tell_left_out
from services.cli.options import ROWS_FILE, Json, options_of
from services.cli.output import print_json, print_result, some_levels
from services.cli.standard_streams import visible
from services.cli.tables import print_table
from services.common.documents import load_request
from services.common.times import format_time
from services.data.catalog import Catalog, Entry
from services.data.declarations import Declarations, clip_bounds
from services.data.matching import why_not
from services.data.row_files import columns_hint, index_columns, index_note, listed, name_list
from services.data.row_reader import Import, read_statistic

NOTHING_SERVES = 1
"""Exit status of `match` when it ran and no data set serves."""

datasets = typer.Typer(name="datasets", help="Data sets that an owner trains with.", no_args_is_help=True)

datasets.add_typer(data_card)


@datasets.command()
@options_of(Declarations, DECLARED)
def add(
    declared: Declarations,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=f"{ROWS_FILE}; numbers, yes and no, dates, texts, gaps.")
    ],
    name: Annotated[str | None, typer.Option(help="Its name; by default that of the file.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Take these columns only: a,b,c; all by default.")
    ] = None,
    categorical: Annotated[
        str | None, typer.Option(help="Take these columns' values as levels, numbers too: a,b,c.")
    ] = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=FROM:TO",
            help="Bring values outside to the nearest end: area=0:500, built=1900-01-01:2025-01-01. Serves "
            "requests that admit it (outside: clip). Repeat for further columns.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a data set of that name.")] = False,
    catalogue: CatalogueFolder = None,
    config: DaemonConfig = None,
    json: Json = False,
) -> None:
    """Read a file of rows, of any length, and add it to the catalogue with a card that others may see."""
    catalog = open_catalogue(catalogue, config)
    name = file.stem if name is None else name
    if not replace:
        catalog.require_free(name)  # before a long file is read
    bounds = clip_bounds(clip or ())
    wanted = Import(listed(columns), listed(categorical) or (), bounds)
    statistic = _read(file, wanted, shows_progress=not json)
    card = declared.applied(catalog.card_for(name, statistic), text_columns(statistic))
    entry = catalog.add(
        name,
        statistic,
        file,
        card=card,
        declared={*declared.columns(), *bounds},
        published=declared.published(),
        replace=replace,
    )
    _tell_added(entry, file, statistic, json=json)
    if not json:
        _tell_next(card, catalog, catalogue_place(catalogue, config))
    tell_left_out(card, catalog)


def _tell_added(entry: Entry, file: Path, statistic: Statistic, *, json: bool) -> None:
    for line in (*index_note(index_columns(file)), *_notes(entry, statistic)):
        typer.echo(visible(line), err=True)
    columns_read = name_list([column.name for column in entry.columns])
    text = f"added {entry.name!r}: {entry.rows} rows, {len(entry.columns)} columns: {columns_read}"
    print_result(entry.model_dump(mode="json"), text, json=json)


def _tell_next(card: DataCard, catalog: Catalog, place: str) -> None:
    """What can be done with a data set that is new; `place` are the options for its catalogue."""
    hints = [f"its card: deltaml datasets card {card.name}{place}; {listing(card, catalog)}"]
    if not card.listed:
        hints.append(f"to have it shown: deltaml datasets card set {card.name} --listed{place}")
    hints.append(f"how it answers a request: deltaml datasets match REQUEST.yaml{place}")
    typer.echo(visible("\n".join(hints)), err=True)


def _read(file: Path, declared: Import, *, shows_progress: bool) -> Statistic:
    console = Console(stderr=True)
    display = (SpinnerColumn(), TextColumn("{task.completed:,} rows read"))
    disabled = not shows_progress or not console.is_terminal
    with columns_hint(), Progress(*display, console=console, transient=True, disable=disabled) as progress:
        task = progress.add_task("", total=None)
        return read_statistic(file, declared, lambda rows: progress.update(task, completed=rows))


def _notes(entry: Entry, statistic: Statistic) -> Iterator[str]:
    """What an owner should know of its columns."""
    if texts := text_columns(statistic):
        yield text_fault(texts)
    alone = revealing(statistic)
    for column in entry.columns:
        if column.name in alone:
            yield (
                f"column {column.name!r} has {len(column.levels)} different texts in {entry.rows} rows, most "
                "of which describe single rows: buyers see it only where you name it (--publish); to be "
                "without it, leave it out (--columns)"
            )
        elif column.clipped:
            yield f"column {column.name!r}: {column.clipped} values were brought into its range"
        elif column.gaps and column.kind != "text":
            yield f"column {column.name!r}: {column.gaps} rows have no value"


@datasets.command("list")
def list_(catalogue: CatalogueFolder = None, config: DaemonConfig = None, json: Json = False) -> None:
    """All data sets of the catalogue."""
    catalog = open_catalogue(catalogue, config)
    entries = catalog.list()
    _tell_strays(catalog)
    if json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    if not entries:
        _tell_empty(catalog)
        return
    cards = catalog.cards()
    crowded = without_room(cards)
    rows = [
        (
            entry.name,
            entry.rows,
            len(entry.columns),
            "no room" if entry.name in crowded else "yes" if cards[entry.name].listed else "no",
            format_time(entry.added_at.timestamp()),
            entry.source,
        )
        for entry in entries
    ]
    heads = ("name", "rows", "columns", "shown to buyers", "added", "source")
    print_table(heads, rows, right=("rows", "columns"))


@datasets.command()
def show(
    name: DataSetName, catalogue: CatalogueFolder = None, config: DaemonConfig = None, json: Json = False
) -> None:
    """One data set's columns and their ranges."""
    entry = open_catalogue(catalogue, config).entry(name)
    if json:
        print_json(entry.model_dump(mode="json"))
        return
    rows = [
        (one.name, one.kind, *_ends(one), str(one.gaps or ""), str(one.clipped or ""))
        for one in entry.columns
    ]
    title = f"{entry.name}: {entry.rows} rows of {entry.source}"
    names = ("column", "kind", "from, or levels", "to", "gaps", "clipped")
    print_table(names, rows, title=title, right=("to", "gaps", "clipped"))


def _ends(column: KeptColumn) -> tuple[str, str]:
    """From where to where; levels in the first place."""
    texts = some_levels(column.levels) or "texts that cannot be asked for"
    return column.ends or (texts, "")


@datasets.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The data set's, or a stray file's of `list`.")],
    catalogue: CatalogueFolder = None,
    config: DaemonConfig = None,
    json: Json = False,
) -> None:
    """Forget a data set; the file it came from stays."""
    open_catalogue(catalogue, config).remove(name)
    print_result({"removed": name}, f"removed {name!r}", json=json)


@datasets.command()
def match(
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="A request, like REQUEST.yaml.")],
    catalogue: CatalogueFolder = None,
    config: DaemonConfig = None,
    json: Json = False,
) -> None:
    """Which data sets serve a request, and why the others do not; exit status 1 when none does."""
    wanted = load_request(request)
    catalog = open_catalogue(catalogue, config)
    reasons = {name: why_not(wanted, data_set) for name, data_set in catalog.all().items()}
    _tell_strays(catalog)
    if json:
        print_json([{"name": name, "serves": not why, "reasons": why} for name, why in reasons.items()])
    elif not reasons:
        _tell_empty(catalog)
    else:
        rows = [(name, "no" if why else "yes", "\n".join(why)) for name, why in reasons.items()]
        print_table(("data set", "serves", "reasons"), rows, title=f"request {wanted.name!r}")
    if all(reasons.values()):
        raise typer.Exit(NOTHING_SERVES)


def _tell_strays(catalog: Catalog) -> None:
    """What lies in the catalogue and counts for nothing."""
    for stray in catalog.strays():
        typer.echo(f"left out: {stray.file}: {stray.reason}", err=True)


def _tell_empty(catalog: Catalog) -> None:
    add = "deltaml datasets add FILE"
    typer.echo(f"the catalogue {catalog.folder} has no data set; add one with: {add}", err=True)
