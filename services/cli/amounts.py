"""Amounts of money in commands: how options take them, and how they are printed."""

from typing import Annotated, Any

import typer

from protocol.asset import MARKET_ASSET, Asset, Assets
from protocol.errors import MisuseError
from protocol.terms import Token
from services.common.addresses import is_address, plain_address

Wei = Annotated[
    bool,
    typer.Option(
        "--wei",
        help=f"Print amounts in {MARKET_ASSET.smallest} or a token's smallest units, not in whole ones.",
    ),
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


def money(amount: int, *, wei: bool = False, asset: Asset = MARKET_ASSET) -> str:
    """An amount as people read it, exactly: whole units with their symbol, or `wei`, the smallest ones."""
    return asset.exact(amount) if wei else asset.shown(amount)


def token_named(option: str, written: str, assets: Assets) -> Token:
    """The token with an address, or with a configured symbol in any case; raises MisuseError for another."""
    if is_address(written):
        return plain_address(written)
    by_symbol = {asset.symbol.casefold(): token for token, asset in assets.tokens.items()}
    if written.casefold() not in by_symbol:
        known = ", ".join(asset.symbol for asset in assets.tokens.values()) or "none"
        raise MisuseError(
            f"{option} {written!r} is no address, and no symbol under tokens in the configuration ({known})"
        )
    return by_symbol[written.casefold()]


def _amount(param: typer.CallbackParam, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return MARKET_ASSET.parse_exact(value)
    except MisuseError as error:
        raise MisuseError(f"{param.opts[0]} {error}") from None
