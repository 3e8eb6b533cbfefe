"""`deltaml datasets card`: what an owner says of a data set in public."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from protocol.data_card import CardColumn, DataCard
from protocol.preparation.moments import day_of
from services.cli.amounts import Wei, amount_option, money
from services.cli.catalogue_option import CatalogueFolder, DaemonConfig, DataSetName, open_catalogue
from services.cli.options import Json, options_of
from services.cli.output import print_json, print_result, some_levels
from services.cli.tables import print_table
from services.data.croissant import croissant as as_croissant
from services.data.declarations import Declarations

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
}


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
    card = open_catalogue(catalogue, config).card(name)
    if croissant:
        print_json(as_croissant(card))
    elif json:
        print_json(_document(card))
    else:
        _print(card, wei=wei)


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
    card = declared.applied(catalog.card(name))
    catalog.set_card(card, declared.columns())
    text = f"changed the card of {name!r}: {listing(card)}; see it with: deltaml datasets card {name}"
    print_result(_document(card), text, json=json)


def listing(card: DataCard) -> str:
    """Who gets to see a card before a training."""
    return "it is shown to buyers" if card.listed else "it is shown to nobody"


def _document(card: DataCard) -> dict[str, Any]:
    return {**card.model_dump(mode="json"), "hash": card.hash().hex()}


def _ends(column: CardColumn) -> tuple[str, str]:
    low, high = column.limits
    if column.kind == "date":
        return day_of(float(low)), day_of(float(high))
    return (f"{low:f}", f"{high:f}") if column.kind == "numeric" else ("", "")


def _print(card: DataCard, *, wei: bool) -> None:
    rows = [
        (
            column.name,
            column.kind,
            *_ends(column),
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
