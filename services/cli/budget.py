"""`deltaml budget`: how many numbers about an owner's data sets may be published."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from protocol.owner_policy import Budget
from protocol.roles.owner.budget import Counts
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import ANSWER_SECONDS, NoWait, Wait
from services.cli.output import named, print_json, print_records
from services.cli.policy_order import order_policy, policy_in_force, validated, with_changes
from services.cli.store_option import existing_store
from services.common.addresses import plain_address
from services.common.errors import ConfigurationError
from services.config.daemons import DataOwnerConfig
from services.data.catalog import Catalog
from services.records.owner_account import counts_of

_InTotal = Annotated[str | None, typer.Option(help="Published numbers in all; 'count' counts equations.")]
_PerBuyer = Annotated[str | None, typer.Option(help="... for each buyer; 'count' counts equations.")]
_DataSet = Annotated[str | None, typer.Option(help="Set a limit of this data set alone.")]
_Buyer = Annotated[str | None, typer.Option(help="... and of this buyer alone, by its address.")]
_Numbers = Annotated[
    int | None, typer.Option(min=0, help="... to so many; left out, the general limit holds again.")
]

_BY_COUNT = "by count"


def budget(
    config: ConfigFile,
    *,
    per_buyer: _PerBuyer = None,
    in_total: _InTotal = None,
    data_set: _DataSet = None,
    buyer: _Buyer = None,
    numbers: _Numbers = None,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """How many numbers about each data set were published, for whom, and its limits; or set them.

    A training publishes two numbers for each trainer and round, the first error, again whenever its
    validators change, and the weights; each is an equation about the rows. What a running training may
    still publish is counted as published.
    """
    if data_set is None and (buyer is not None or numbers is not None):
        raise ConfigurationError("--buyer and --numbers need the --data-set that they are for")
    account = None if buyer is None else plain_address(buyer)
    settings, policy, _ = policy_in_force(config)
    general = {"per_buyer": per_buyer, "in_total": in_total}
    changes = {name: _limit(text) for name, text in general.items() if text is not None}
    wanted = with_changes(policy, {"budget": {**dict(policy.budget), **changes}})
    if data_set is not None:
        limited = validated(lambda: wanted.budget.with_limit(data_set, account, numbers))
        wanted = with_changes(wanted, {"budget": limited})
    if wanted != policy:
        order_policy(settings, wanted, 0.0 if no_wait else wait)
    with existing_store(None, config) as store:
        counts = counts_of(store)
    _show_budget(settings, wanted.budget, counts, json=json)


def _limit(text: str) -> int | None:
    if text == "count":
        return None
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{text!r} is not a number of published numbers; give one, or 'count'")
    return int(text)


def _show_budget(settings: DataOwnerConfig, budget: Budget, counts: Counts, *, json: bool) -> None:
    catalog = {entry.name for entry in Catalog(settings.catalogue).list()}
    rows = [row for name in sorted(catalog | counts.data_sets()) for row in _rows(name, budget, counts)]
    if json:
        print_json({"per_buyer": budget.per_buyer, "in_total": budget.in_total, "counts": rows})
        return
    for row in rows:
        row["buyer"] = named(row["buyer"], settings.names) if row["buyer"] else "all together"
        row["limit"] = _BY_COUNT if row["limit"] is None else row["limit"]
    columns = {"data_set": "data set", "buyer": "buyer", "used": "numbers", "limit": "limit"}
    nothing = "no data set yet, so nothing is published: deltaml datasets add FILE --config OWNER.yaml"
    print_records(rows, columns, json=False, right=("numbers", "limit"), empty=nothing)
    if any(row["limit"] == _BY_COUNT for row in rows):
        typer.echo(
            f"{_BY_COUNT!r}: the limit follows from each request, by a count of equations "
            "(protocol/README.md)."
        )


def _rows(data_set: str, budget: Budget, counts: Counts) -> Iterator[dict[str, Any]]:
    """First all buyers together, then each that has trained with it or has a limit."""
    used, limit = counts.in_total(data_set), budget.limit_of(data_set, None)
    yield {"data_set": data_set, "buyer": None, "used": used, "limit": limit}
    limited = {item.buyer for item in budget.limits if item.data_set == data_set and item.buyer}
    for buyer in sorted(counts.buyers(data_set) | limited):
        used, limit = counts.of_buyer(data_set, buyer), budget.limit_of(data_set, buyer)
        yield {"data_set": data_set, "buyer": buyer, "used": used, "limit": limit}
