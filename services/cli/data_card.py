"""`deltaml datasets card`: what an owner says of a data set in public."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from protocol.data_card import DataCard, without_room
from protocol.data_set import text_columns
from services.cli.amounts import Wei, amount_option, money
from services.cli.catalogue_option import (
    CatalogueFolder,
    DaemonConfig,
    DataSetName,
    catalogue_place,
    open_catalogue,
)
from services.cli.options import Json, options_of
from services.cli.output import print_json, print_result, some_levels
from services.cli.standard_streams import visible
from services.cli.tables import print_table
from services.data.catalog import Catalog
from services.data.croissant import croissant as as_croissant
from services.data.declarations import Declarations, column_ends
from services.data.row_files import name_list

_RANGE = (
    "A column's declared range; by default that of the rows, rounded outwards. Repeat for further columns."
)
DECLARED = {
    "ranges": typer.Option("--range", metavar="COLUMN=MINIMUM:MAXIMUM", help=_RANGE),
    "units": typer.Option("--unit", metavar="COLUMN=UNIT", help="A column's unit."),
    "vocabularies": typer.Option("--vocabulary", metavar="COLUMN=a,b,c", help="A column's levels."),
    "gaps": typer.Option("--gaps", metavar="COLUMN=yes|no", help="Whether values may be missing."),
    "kinds": typer.Option("--kind", metavar="COLUMN=KIND", help="A column's kind: numeric, boolean or date."),
    "licence": typer.Option(help="What others may do with models of these data."),
    "purpose": typer.Option(help="What the data are, and for what."),
    "least_pay": amount_option("The least fixed pay of a training"),
    "listed": typer.Option("--listed/--unlisted", help="Have aggregators show the card to buyers, or not."),
    "publish": typer.Option(
        "--publish",
        metavar="COLUMN",
        help="Show buyers every word of this column, though the words describe single rows, as names do. "
        "Repeat for further columns.",
    ),
}
_ROOM = (
    "take others off the list (deltaml datasets card set NAME --unlisted), or add this one again with fewer "
    "columns (--columns)"
)


class _ShowByDefault(TyperGroup):
    """`card NAME` is `card show NAME`."""

    default = "show"

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where there is none."""
        is_named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if is_named else [self.default, *args])


data_card = typer.Typer(
    name="card",
    cls=_ShowByDefault,
    help="What the owner says of a data set in public: `card NAME` shows it, `card set NAME` changes it.",
    no_args_is_help=True,
)


@data_card.command()
def show(
    name: DataSetName,
    *,
    croissant: Annotated[bool, typer.Option("--croissant", help="As a Croissant document, JSON-LD.")] = False,
    catalogue: CatalogueFolder = None,
    config: DaemonConfig = None,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """One data set's card: all that others can learn of it before a training."""
    catalog = open_catalogue(catalogue, config)
    card = catalog.card(name)
    if croissant:
        print_json(as_croissant(card))
    elif json:
        print_json(_document(card, catalog))
    else:
        _print(card, catalog, wei=wei)


@data_card.command("set")
@options_of(Declarations, DECLARED)
def set_(
    declared: Declarations,
    name: DataSetName,
    catalogue: CatalogueFolder = None,
    config: DaemonConfig = None,
    json: Json = False,
) -> None:
    """Change what is declared; the rows must lie within it. A running daemon tells its aggregators."""
    catalog = open_catalogue(catalogue, config)
    card = declared.applied(catalog.card(name), text_columns(catalog.load(name)))
    catalog.set_card(card, declared.columns(), declared.published())
    place = catalogue_place(catalogue, config)
    shown = f"see it with: deltaml datasets card {name}{place}"
    text = f"changed the card of {name!r}: {listing(card, catalog)}; {shown}"
    print_result(_document(card, catalog), text, json=json)
    tell_left_out(card, catalog)


def listing(card: DataCard, catalog: Catalog) -> str:
    """Who gets to see a card before a training, and what to do where it finds no room."""
    if not card.listed:
        return "it is shown to nobody"
    lack = without_room(catalog.cards()).get(card.name)
    return f"it is listed, but shown to nobody: {lack}; {_ROOM}" if lack else "it is shown to buyers"


def tell_left_out(card: DataCard, catalog: Catalog) -> None:
    """On standard error: which other listed cards are shown to nobody."""
    others = [name for name in without_room(catalog.cards()) if name != card.name]
    if others:
        told = f"listed, but shown to nobody for want of room in announcements: {name_list(others)}"
        typer.echo(visible(told), err=True)


def _document(card: DataCard, catalog: Catalog) -> dict[str, Any]:
    is_shown = card.listed and card.name not in without_room(catalog.cards())
    return {**card.model_dump(mode="json"), "hash": card.hash().hex(), "shown_to_buyers": is_shown}


def _print(card: DataCard, catalog: Catalog, *, wei: bool) -> None:
    rows = [
        (
            column.name,
            column.kind,
            *column_ends(column),
            column.unit,
            some_levels(column.vocabulary),
            "yes" if column.gaps else "no",
        )
        for column in card.columns
    ]
    listed = "listed" if card.listed else "not listed"
    title = f"{card.name}: {card.rows_from} to {2 * card.rows_from - 1} rows, {listed}"
    heads = ("column", "kind", "minimum", "maximum", "unit", "vocabulary", "gaps")
    print_table(heads, rows, title=title, right=("minimum", "maximum"))
    typer.echo(f"licence    {card.licence or 'not stated'}")
    typer.echo(f"purpose    {card.purpose or 'not stated'}")
    typer.echo(f"least pay  {money(card.least_pay_wei, wei=wei)}")
    typer.echo(f"hash       {card.hash().hex()}")
    typer.echo(f"listing    {listing(card, catalog)}")
