"""Amounts of money in commands: how options take them, and how they are printed."""

from typing import Annotated, Any

import typer

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError

Wei = Annotated[
    bool,
    typer.Option("--wei", help=f"Print amounts in {MARKET_ASSET.smallest}, not in {MARKET_ASSET.symbol}."),
]


def amount_option(meaning: str, *names: str, default: int | None = None) -> Any:
    """An option that takes an amount: with its unit, or in smallest units; None where it is not given.

    `default` is told in the help. What cannot be read raises MisuseError with the option's name.
    """
    return typer.Option(
        *names,
        parser=str,
        callback=_amount,
        metavar="AMOUNT",
        help=f"{meaning}: {MARKET_ASSET.examples}; a number alone counts {MARKET_ASSET.smallest}.",
        show_default=True if default is None else money(default),
    )


def money(amount: int, *, wei: bool = False) -> str:
    """An amount as people read it, exactly: whole units with their symbol, or `wei`, the smallest ones."""
    return MARKET_ASSET.exact(amount) if wei else MARKET_ASSET.shown(amount)


def _amount(param: typer.CallbackParam, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return MARKET_ASSET.parse_exact(value)
    except MisuseError as error:
        raise MisuseError(f"{param.opts[0]} {error}") from None
