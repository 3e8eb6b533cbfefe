"""What daemons note, for people: a line about each event of the chain, and the data of any fact."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from protocol.asset import MARKET_ASSET, Asset
from protocol.records import FIXED_POINT
from services.cli.amounts import money
from services.cli.output import join_fields, named

_WEI = "_wei"
_NOBODY: Mapping[str, str] = MappingProxyType({})


def event_line(
    name: str,
    data: Mapping[str, Any],
    most_rounds: int | None = None,
    names: Mapping[str, str] = _NOBODY,
    *,
    wei: bool = False,
    asset: Asset = MARKET_ASSET,
) -> str:
    """The line, "" for an event that people need not be told.

    `most_rounds` is the request's bound; `names` are those of parties by address; `asset` is what is paid in.
    """
    line = ""
    match name:
        case "Opened":
            deposit = money(int(data["deposit"]), wei=wei, asset=asset)
            line = f"training {data['training']} opened with a deposit of {deposit}"
        case "Joined":
            line = f"owner {named(data['owner'], names)} joined, seat {data['seat']}"
        case "RolesDrawn":
            trainers, validators = (int(data[part]).bit_count() for part in ("trainers", "validators"))
            line = f"roles drawn: {trainers} train, {validators} validate"
        case "RoundRecorded":
            line = _round_line(data, most_rounds)
        case "Settled":
            paid, refund = (money(int(data[part]), wei=wei, asset=asset) for part in ("paid", "refund"))
            line = f"settled: {paid} paid, {refund} back to the buyer"
        case "Cancelled":
            line = f"cancelled: {money(int(data['refund']), wei=wei, asset=asset)} back to the buyer"
    return line


def _round_line(data: Mapping[str, Any], most_rounds: int | None) -> str:
    number, before, after = (int(data[part]) for part in ("round", "mse_before", "mse_after"))
    left = after / before if before else 1.0
    is_early = data["last"] and most_rounds is not None and number < most_rounds
    end = "; the last, it gained less than the tolerance" if is_early else ""
    bound = "" if most_rounds is None else f" of at most {most_rounds}"
    return f"round {number:>3}{bound}: {left:.2%} of the error before is left{end}"


def fact_text(
    data: Mapping[str, Any],
    names: Mapping[str, str] = _NOBODY,
    *,
    wei: bool = False,
    asset: Asset = MARKET_ASSET,
) -> str:
    """A fact's data in one line: amounts with their unit, a share in percent, lists without brackets.

    Parties have their `names`, by address, before their addresses.
    """
    plain = {
        name.removesuffix(_WEI): _plain(name, value, names, wei=wei, asset=asset)
        for name, value in data.items()
    }
    return join_fields(plain)


def _plain(name: str, value: Any, names: Mapping[str, str], *, wei: bool, asset: Asset) -> str:
    if name.endswith(_WEI):
        return money(int(value), wei=wei, asset=asset)
    if name == "improvement":
        return f"{int(value) / FIXED_POINT:.2%}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        value = [f"{key} {one}" for key, one in value.items()] or ["none"]
    return " ".join(named(str(one), names) for one in (value if isinstance(value, list) else [value]))
