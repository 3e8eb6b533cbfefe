"""`deltaml policy` and `deltaml budget`: an owner's policy, read from its store, changed by an order."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from protocol.asset import MARKET_ASSET
from services.cli.orders import ConfigFile, send_order
from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from protocol.owner_policy import OwnerPolicy
    from protocol.roles.owner.budget import Counts
    from services.config.daemons import DataOwnerConfig
    from services.store import Store

policy = typer.Typer(
    name="policy",
    help="An owner's standing policy: the configuration's, until one is set; that holds after a restart too.",
    no_args_is_help=True,
)

_MINIMUM_PAY = typer.Option(min=0, help=f"The least fixed pay, in {MARKET_ASSET.smallest}.")
Made = TypeVar("Made")
_NONE = "none"
_List = Annotated[str | None, typer.Option(help=f"a,b,c; {_NONE!r} admits everything.")]


@policy.command()
def show(config: ConfigFile, json: Json = False) -> None:
    """The policy in force and where it comes from."""
    _, chosen, source = _in_force(config)
    values = _values(chosen)
    if json:
        print_json({"source": source, "policy": values})
        return
    rows = [(name, _plain(value)) for name, value in values.items() if name != "budget"]
    print_table(("field", "value"), rows, title=f"policy in force, from the {source}")
    print_line("The budget is shown by: deltaml budget --config FILE")


@policy.command("set")
def set_(
    config: ConfigFile,
    *,
    automatic: Annotated[bool | None, typer.Option(help="Join matching trainings unasked.")] = None,
    withdraw: Annotated[bool | None, typer.Option(help="Withdraw pay after each training.")] = None,
    buyers: _List = None,
    model_kinds: _List = None,
    columns: _List = None,
    data_sets: _List = None,
    minimum_pay_wei: Annotated[int | None, _MINIMUM_PAY] = None,
    json: Json = False,
) -> None:
    """Have the running daemon decide by another policy; what is not named stays as it is."""
    lists = {"buyers": buyers, "model_kinds": model_kinds, "columns": columns, "data_sets": data_sets}
    changes: dict[str, Any] = {name: _list(text) for name, text in lists.items() if text is not None}
    single = {"automatic": automatic, "withdraw": withdraw, "minimum_pay_wei": minimum_pay_wei}
    changes |= {name: value for name, value in single.items() if value is not None}
    settings, chosen, _ = _in_force(config)
    wanted = _changed(chosen, changes)
    _order(settings, wanted)
    _told(wanted, json=json)


@policy.command()
def reset(config: ConfigFile, json: Json = False) -> None:
    """Have the running daemon decide by its configuration's policy again."""
    settings, _, _ = _in_force(config)
    _order(settings, None)
    _told(settings.policy, json=json)


def budget(
    config: ConfigFile,
    *,
    per_buyer: Annotated[
        str | None, typer.Option(help="Trainings for each buyer; 'count' for the count.")
    ] = None,
    in_total: Annotated[str | None, typer.Option(help="Trainings in all; 'count' for the count.")] = None,
    data_set: Annotated[str | None, typer.Option(help="Set a limit of this data set alone.")] = None,
    buyer: Annotated[str | None, typer.Option(help="... and of this buyer alone, by its address.")] = None,
    trainings: Annotated[
        int | None, typer.Option(min=0, help="... to so many; left out, the general one.")
    ] = None,
    json: Json = False,
) -> None:
    """How many trainings each data set has taken part in, for whom, and its limits; or set them."""
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    if data_set is None and (buyer is not None or trainings is not None):
        raise ConfigurationError("--buyer and --trainings need the --data-set that they are for")
    settings, chosen, _ = _in_force(config)
    general = {"per_buyer": per_buyer, "in_total": in_total}
    changes = {name: _limit(text) for name, text in general.items() if text is not None}
    wanted = _changed(chosen, {"budget": {**dict(chosen.budget), **changes}})
    if data_set is not None:
        account = None if buyer is None else buyer.lower()
        budget_before, name = wanted.budget, data_set
        limited = _checked(lambda: budget_before.with_limit(name, account, trainings))
        wanted = _changed(wanted, {"budget": dict(limited)})
    if wanted != chosen:
        _order(settings, wanted)
    _show_budget(settings, wanted, _counts(config), json=json)


def _in_force(config: Path) -> "tuple[DataOwnerConfig, OwnerPolicy, str]":
    """(configuration, policy, where the policy comes from)."""
    from services.config.daemons import load  # noqa: PLC0415
    from services.records.owner_account import ordered_policy  # noqa: PLC0415

    settings = load(config, "data-owner")
    with closing(_open(config)) as store:
        ordered = ordered_policy(store)
    return (
        settings,
        ordered or settings.policy,
        "configuration" if ordered is None else "order",
    )


def _counts(config: Path) -> "Counts":
    from services.records.owner_account import counts_of  # noqa: PLC0415

    with closing(_open(config)) as store:
        return counts_of(store)


def _open(config: Path) -> "Store":
    from services.cli.store_option import opened  # noqa: PLC0415

    return opened(None, config, existing=True)


def _order(settings: "DataOwnerConfig", wanted: "OwnerPolicy | None") -> None:
    from protocol.messages import PolicyOrder  # noqa: PLC0415

    send_order(settings, "data_owner", PolicyOrder(policy=wanted), 0)


def _changed(chosen: "OwnerPolicy", changes: dict[str, Any]) -> "OwnerPolicy":
    return _checked(lambda: type(chosen).model_validate({**dict(chosen), **changes}))


def _checked(make: Callable[[], Made]) -> Made:
    """What `make` makes; raises ConfigurationError naming the field that is wrong."""
    from pydantic import ValidationError  # noqa: PLC0415

    from services.common.errors import ConfigurationError  # noqa: PLC0415

    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{place}: {first['msg']}") from None


def _list(text: str) -> tuple[str, ...]:
    """Addresses may come in any case, and no other name begins like one."""
    parts = [part.strip() for part in text.split(",") if part.strip() and text != _NONE]
    return tuple(part.lower() if part.startswith("0x") else part for part in parts)


def _limit(text: str) -> int | None:
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    if text == "count":
        return None
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{text!r} is no number of trainings; give one, or 'count'")
    return int(text)


def _show_budget(settings: "DataOwnerConfig", chosen: "OwnerPolicy", counts: "Counts", *, json: bool) -> None:
    from services.data.catalog import Catalogue  # noqa: PLC0415

    limit_of = chosen.budget.limit_of
    names = sorted({one.name for one in Catalogue(settings.catalogue).list()} | counts.data_sets())
    rows: list[dict[str, Any]] = []
    for name in names:
        rows.append(
            {"data_set": name, "buyer": None, "used": counts.in_total(name), "limit": limit_of(name, None)}
        )
        limited = {one.buyer for one in chosen.budget.limits if one.data_set == name and one.buyer}
        buyers = sorted(counts.buyers(name) | limited)
        rows += [
            {"data_set": name, "buyer": one, "used": counts.of_buyer(name, one), "limit": limit_of(name, one)}
            for one in buyers
        ]
    if json:
        general = {"per_buyer": chosen.budget.per_buyer, "in_total": chosen.budget.in_total}
        print_json({**general, "counts": rows})
        return
    table = [
        (row["data_set"], row["buyer"] or "all together", str(row["used"]), _shown_limit(row["limit"]))
        for row in rows
    ]
    print_table(("data set", "buyer", "trainings", "limit"), table, right=("trainings", "limit"))
    print_line(
        "'by count': the limit follows from each request, by a count of equations (protocol/README.md)."
    )


def _shown_limit(limit: int | None) -> str:
    return "by count" if limit is None else str(limit)


def _told(wanted: "OwnerPolicy", *, json: bool) -> None:
    if json:
        print_json({"ordered": _values(wanted)})
    else:
        print_line("asked; `deltaml policy show` tells when it is in force")


def _values(chosen: "OwnerPolicy") -> dict[str, Any]:
    """The fields for people and programs; amounts as decimal digits, which no reader of JSON rounds."""
    minimum_pay = str(chosen.minimum_pay_wei)
    return {**dict(chosen), "minimum_pay_wei": minimum_pay, "budget": chosen.budget.model_dump()}


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "all"
    return str(value)
