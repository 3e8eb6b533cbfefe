"""`deltaml market`: what is on offer, before any money moves."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import Wei, money
from services.cli.market_asking import Stored, told_by
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import ANSWER_SECONDS, Wait
from services.cli.output import print_json, print_records, some_levels
from services.cli.tables import print_table
from services.common.documents import load_request
from services.common.times import format_time
from services.records.market_offers import (
    CardMatch,
    ListedCard,
    MarketColumn,
    Match,
    columns_of,
    listed_by,
)
from services.records.market_offers import match as matched

Aggregators = Annotated[
    list[str] | None,
    typer.Option(
        "--aggregator",
        help="Ask this aggregator, by address or name; may be repeated. By default those configured.",
    ),
]

_NOTHING_LISTED = (
    "no data is on offer: an owner's is once its card is listed and an aggregator that admits it has told so"
)

TOO_FEW = 1
"""Exit status of `match` when it ran and the request would not reach as many owners as it needs."""

market = typer.Typer(
    name="market",
    help="What is on offer: the data that owners list with the aggregators of a buyer.",
    no_args_is_help=True,
)


@market.command()
def columns(
    config: ConfigFile,
    aggregator: Aggregators = None,
    wait: Wait = ANSWER_SECONDS,
    stored: Stored = False,
    json: Json = False,
) -> None:
    """The columns that listed data sets have, with kind, unit and range, those of most owners first."""
    with told_by(config, aggregator, wait, stored=stored) as told:
        found = columns_of(listed_by(told.store, told.aggregators))
    records = [_column_record(one) for one in found]
    heads = ("column", "kind", "unit", "minimum", "maximum", "levels", "owners", "data sets", "rows from")
    fields = [one.replace(" ", "_") for one in heads]
    right = ("minimum", "maximum", "owners", "data sets", "rows from")
    print_records(
        records if json else [{**one, "levels": some_levels(one["levels"])} for one in records],
        dict(zip(fields, heads, strict=True)),
        json=json,
        right=right,
        empty=_NOTHING_LISTED,
    )


@market.command()
def cards(
    config: ConfigFile,
    aggregator: Aggregators = None,
    wait: Wait = ANSWER_SECONDS,
    stored: Stored = False,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """The cards of the data sets that owners list, with hash and when they were told; --json has all."""
    with told_by(config, aggregator, wait, stored=stored) as told:
        found = listed_by(told.store, told.aggregators)
    if json:
        print_json([{**_card_record(one), "card": one.card.model_dump(mode="json")} for one in found])
        return
    heads = ("owner", "data set", "rows from", "columns", "least pay", "licence", "hash", "told")
    rows = (
        (
            told.party(one.owner),
            one.card.name,
            one.card.rows_from,
            ", ".join(column.name for column in one.card.columns),
            money(one.card.least_pay_wei, wei=wei),
            one.card.licence,
            one.hash.hex(),
            format_time(one.told_at),
        )
        for one in found
    )
    print_table(heads, rows, right=("rows from",), empty=_NOTHING_LISTED)


@market.command()
def match(
    request: Annotated[Path, typer.Argument(help="The request, a YAML file such as REQUEST.yaml.")],
    config: ConfigFile,
    aggregator: Aggregators = None,
    wait: Wait = ANSWER_SECONDS,
    stored: Stored = False,
    json: Json = False,
) -> None:
    """How many owners a request would reach, and why not the others; exit status 1 when too few.

    The request's own aggregator is asked unless another is named. Owners answer by their cards, and then by
    their policies and budgets, which nobody else knows; they may have data that they do not list.
    """
    wanted = load_request(request)
    with told_by(config, aggregator, wait, stored=stored, own=wanted.aggregator) as told:
        found = matched(wanted, told.store, told.aggregators)
    if json:
        print_json(_match_record(found))
    else:
        heads = ("owner", "data set", "rows from", "serves", "why not")
        rows = ((told.party(one.listed.owner), *_match_row(one)) for one in found.cards)
        print_table(heads, rows, title=wanted.name, right=("rows from",), empty=_NOTHING_LISTED)
        typer.echo(_verdict(found))
    if not found.is_enough:
        raise typer.Exit(TOO_FEW)


def _verdict(found: Match) -> str:
    reached, minimum = len(found.reached), found.request.owners.minimum
    verdict = f"the request would reach {reached} of {found.owners} owners; it needs {minimum}"
    return verdict if found.is_enough else f"{verdict}: too few list data that serve it"


def _match_row(one: CardMatch) -> tuple[object, ...]:
    listed = one.listed
    serves = "no" if one.reasons else "yes"
    return listed.card.name, listed.card.rows_from, serves, "; ".join(one.reasons)


def _match_record(found: Match) -> dict[str, Any]:
    return {
        "request": found.request.name,
        "owners": found.owners,
        "reached": list(found.reached),
        "least_owners": found.request.owners.minimum,
        "is_enough": found.is_enough,
        "data_sets": [
            {**_card_record(one.listed), "serves": not one.reasons, "reasons": list(one.reasons)}
            for one in found.cards
        ],
    }


def _card_record(one: ListedCard) -> dict[str, Any]:
    about = {"owner": one.owner, "data_set": one.card.name, "rows_from": one.card.rows_from}
    return {**about, "hash": one.hash.hex(), "told_at": format_time(one.told_at)}


def _column_record(one: MarketColumn) -> dict[str, Any]:
    low, high = one.ends or (None, None)
    return {
        "column": one.name,
        "kind": one.kind,
        "unit": one.unit,
        "minimum": low,
        "maximum": high,
        "levels": list(one.levels),
        "owners": one.owners,
        "data_sets": one.data_sets,
        "rows_from": one.rows_from,
    }
