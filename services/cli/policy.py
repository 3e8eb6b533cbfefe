"""`deltaml policy`: an owner's policy, read from its store, changed by an order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from protocol.asset import Assets
from protocol.owner_policy import OwnerPolicy, TokenPay
from protocol.types import ZERO_ADDRESS
from services.cli.amounts import Wei, amount_option, money, token_named
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import ANSWER_SECONDS, NoWait, Wait
from services.cli.output import named, print_json, print_result
from services.cli.policy_order import order_policy, policy_in_force, with_changes
from services.cli.tables import print_table
from services.common.accents import composed
from services.common.addresses import plain_address
from services.common.errors import ConfigurationError

policy = typer.Typer(
    name="policy",
    help="An owner's standing policy: the configuration's until one is set, which outlives a restart.",
    no_args_is_help=True,
)

_ALL, _NONE = "all", "none"
NOBODY = (ZERO_ADDRESS,)
"""Buyers of whom there is none: no transaction comes from this account."""
_List = Annotated[str | None, typer.Option(help=f"Only these: a,b,c; {_ALL!r} admits everything.")]
_Tokens = Annotated[
    str | None,
    typer.Option(
        help="Paid in these tokens too: a,b=10 of addresses or configured symbols, with the least pay if "
        f"any (a number alone counts smallest units); {_NONE!r}: in ether alone."
    ),
]
_TokenBonds = Annotated[
    str | None,
    typer.Option(
        help="The most bond to deposit unasked, in tokens that are taken: a=5,b=10 of addresses or "
        f"configured symbols (a number alone counts smallest units); {_NONE!r}: no bond in any."
    ),
]
_Buyers = Annotated[
    str | None,
    typer.Option(help=f"Only these addresses: a,b,c; {_ALL!r}, or {_NONE!r}: all wait for a person."),
]


@policy.command()
def show(config: ConfigFile, wei: Wei = False, json: Json = False) -> None:
    """The policy in force and where it comes from."""
    settings, chosen, source = policy_in_force(config)
    values = _values(chosen)
    if json:
        print_json({"source": source, "policy": values})
        return
    rows = [
        (name, _plain_tokens(chosen, settings.assets, wei=wei))
        if name == "tokens"
        else (name, _plain(name, value, settings.names, wei=wei))
        for name, value in values.items()
        if name != "budget"
    ]
    print_table(("field", "value"), rows, title=f"policy in force, from the {source}")
    typer.echo("The budget is shown by: deltaml budget --config FILE")


@policy.command("set")
def set_(
    config: ConfigFile,
    *,
    automatic: Annotated[bool | None, typer.Option(help="Join matching trainings unasked.")] = None,
    standard_errors: Annotated[
        bool | None, typer.Option(help="Join trainings that open pooled information for standard errors.")
    ] = None,
    withdraw: Annotated[bool | None, typer.Option(help="Withdraw pay after each training.")] = None,
    buyers: _Buyers = None,
    model_kinds: _List = None,
    columns: _List = None,
    data_sets: _List = None,
    minimum_pay: Annotated[int | None, amount_option("The least fixed pay")] = None,
    tokens: _Tokens = None,
    most_bond: Annotated[int | None, amount_option("The most bond to deposit unasked")] = None,
    token_bonds: _TokenBonds = None,
    minimum_reveal: Annotated[
        int | None, typer.Option(help="The least time to confirm a seat, in seconds.", metavar="SECONDS")
    ] = None,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the running daemon decide by another policy; what is not named stays as it is."""
    lists = {"buyers": buyers, "model_kinds": model_kinds, "columns": columns, "data_sets": data_sets}
    values: dict[str, Any] = {
        name: None if text is None else _list(name, text) for name, text in lists.items()
    }
    values |= {"automatic": automatic, "standard_errors": standard_errors, "withdraw": withdraw}
    values |= {"minimum_pay_wei": minimum_pay, "most_bond_wei": most_bond, "minimum_reveal_s": minimum_reveal}
    settings, chosen, _ = policy_in_force(config)
    taken = chosen.tokens if tokens is None else _token_pay(tokens, chosen.tokens, settings.assets)
    values["tokens"] = taken if token_bonds is None else _with_bonds(token_bonds, taken, settings.assets)
    wanted = with_changes(chosen, {name: value for name, value in values.items() if value is not None})
    in_force = order_policy(settings, wanted, 0.0 if no_wait else wait)
    _show_order(wanted, in_force=in_force, json=json)


@policy.command()
def reset(
    config: ConfigFile, wait: Wait = ANSWER_SECONDS, no_wait: NoWait = False, json: Json = False
) -> None:
    """Have the running daemon decide by its configuration's policy again."""
    settings, _, _ = policy_in_force(config)
    in_force = order_policy(settings, None, 0.0 if no_wait else wait)
    _show_order(settings.policy, in_force=in_force, json=json)


def _list(name: str, text: str) -> tuple[str, ...]:
    """Addresses may come in any case, and no other name begins like one.

    Raises ConfigurationError for a list of nothing, which would admit everything.
    """
    word = text.strip().casefold()
    if word == _ALL:
        return ()
    if word == _NONE and name == "buyers":
        return NOBODY
    parts = [composed(part.strip()) for part in text.split(",")]
    if word == _NONE or not all(parts):
        raise ConfigurationError(
            f"--{name.replace('_', '-')} {text!r} names nothing to join with: give names, {_ALL!r} for "
            "everything, or --no-automatic to join nothing unasked"
        )
    return tuple(map(plain_address, parts))


def _token_pay(text: str, before: Iterable[TokenPay], assets: Assets) -> tuple[TokenPay, ...]:
    """The tokens with their least pay; the most bond in each stays as it was."""
    bonds = {pay.token: pay.most_bond for pay in before}
    return tuple(
        TokenPay(token=token, minimum_pay=minimum, most_bond=bonds.get(token, 0))
        for token, minimum in _amounts("--tokens", text, assets)
    )


def _with_bonds(text: str, taken: tuple[TokenPay, ...], assets: Assets) -> tuple[TokenPay, ...]:
    """With the most bond in each of the tokens. Raises ConfigurationError for one that is not taken."""
    bonds = dict(_amounts("--token-bonds", text, assets))
    for token in bonds.keys() - {pay.token for pay in taken}:
        raise ConfigurationError(
            f"--token-bonds names {assets.of(token).symbol}, which is not taken: add it to --tokens"
        )
    return tuple(pay.model_copy(update={"most_bond": bonds.get(pay.token, 0)}) for pay in taken)


def _amounts(option: str, text: str, assets: Assets) -> Iterator[tuple[str, int]]:
    """(token, amount) of each. Raises MisuseError for what names no token, and what is no amount of it."""
    if text.strip().casefold() == _NONE:
        return
    for part in text.split(","):
        named, _, amount = part.partition("=")
        token = token_named(option, named.strip(), assets)
        yield token, assets.of(token).parse_exact(amount.strip() or "0")


def _show_order(wanted: OwnerPolicy, *, in_force: bool, json: bool) -> None:
    asked = "requested; `deltaml policy show` says when it is in force"
    text = "in force, for trainings that wait for a decision too" if in_force else asked
    print_result({"ordered": _values(wanted), "in_force": in_force}, text, json=json)


def _values(chosen: OwnerPolicy) -> dict[str, Any]:
    """The fields for people and programs; amounts as decimal digits, which no reader of JSON rounds."""
    minimum_pay = str(chosen.minimum_pay_wei)
    most_bond = str(chosen.most_bond_wei)
    tokens = [
        {"token": pay.token, "minimum_pay": str(pay.minimum_pay), "most_bond": str(pay.most_bond)}
        for pay in chosen.tokens
    ]
    amounts = {"minimum_pay_wei": minimum_pay, "most_bond_wei": most_bond}
    return {**dict(chosen), **amounts, "tokens": tokens, "budget": chosen.budget.model_dump()}


def _plain_tokens(chosen: OwnerPolicy, assets: Assets, *, wei: bool) -> str:
    taken = ((assets.of(pay.token), pay) for pay in chosen.tokens)
    shown = (
        f"{asset.symbol} from {money(pay.minimum_pay, wei=wei, asset=asset)}"
        + (f" with a bond up to {money(pay.most_bond, wei=wei, asset=asset)}" if pay.most_bond else "")
        for asset, pay in taken
    )
    return ", ".join(shown) or _NONE


def _plain(name: str, value: Any, names: Mapping[str, str], *, wei: bool) -> str:
    if value == NOBODY and name == "buyers":
        return _NONE
    if isinstance(value, tuple):
        return ", ".join(named(str(one), names) for one in value) or _ALL
    if name in ("minimum_pay_wei", "most_bond_wei"):
        return money(int(value), wei=wei)
    return str(value)
