"""A party's account as CSV: a line for each movement, for spreadsheets and for bookkeeping."""

import csv
import io
from collections.abc import Iterable, Mapping

from protocol.asset import Assets
from services.common.times import format_time
from services.records.earnings import Account, Deal, Payment

COLUMNS = (
    "time",
    "kind",
    "share",
    "training",
    "name",
    "buyer",
    "buyer_name",
    "aggregator",
    "aggregator_name",
    "token",
    "asset",
    "amount_units",
    "amount",
    "block",
    "transaction",
)
"""Amounts stand in smallest units and, of a known asset, in whole ones, exactly; times have their zone.

`token` is zero for the chain's own coin. Only amounts of one token may be added up.
"""

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def earnings_csv(accounts: Iterable[Account], names: Mapping[str, str], assets: Assets) -> str:
    """The whole file, the oldest movement first; `names` are the party's own for others, by address."""
    movements = [(payment, account.deals) for account in accounts for payment in account.payments]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        _row(payment, deals, names, assets)
        for payment, deals in sorted(movements, key=lambda movement: movement[0].at)
    )
    return text.getvalue()


def _row(
    payment: Payment, deals: Mapping[int, Deal], names: Mapping[str, str], assets: Assets
) -> tuple[object, ...]:
    known = assets.of(payment.token) if assets.is_known(payment.token) else None
    deal = Deal() if payment.training is None else deals[payment.training]
    return (
        format_time(payment.at),
        payment.kind,
        payment.share,
        payment.training,
        _text(deal.name),
        deal.buyer,
        _text(names.get(deal.buyer, "")),
        deal.aggregator,
        _text(names.get(deal.aggregator, "")),
        payment.token,
        "" if known is None else known.symbol,
        payment.amount,
        "" if known is None else known.plain(payment.amount),
        payment.block,
        payment.transaction,
    )


def _text(name: str) -> str:
    """Names are other people's: a spreadsheet must not take one for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name
