"""A party's account as CSV: a line for each movement, for spreadsheets and for bookkeeping."""

import csv
import io
from collections.abc import Mapping

from protocol.asset import MARKET_ASSET
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
    f"amount_{MARKET_ASSET.smallest}",
    f"amount_{MARKET_ASSET.symbol.lower()}",
    "block",
    "transaction",
)
"""Amounts stand in both units, exactly; times have their zone."""

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def earnings_csv(account: Account, names: Mapping[str, str]) -> str:
    """The whole file, the oldest movement first; `names` are the party's own for others, by address."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(payment, account.deals, names) for payment in account.payments)
    return text.getvalue()


def _row(payment: Payment, deals: Mapping[int, Deal], names: Mapping[str, str]) -> tuple[object, ...]:
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
        payment.amount,
        MARKET_ASSET.plain(payment.amount),
        payment.block,
        payment.transaction,
    )


def _text(name: str) -> str:
    """Names are other people's: a spreadsheet must not take one for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name
