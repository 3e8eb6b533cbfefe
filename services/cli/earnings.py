"""`deltaml earnings`: what a party earned or spent, by training or by month, and every movement as a file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from protocol.asset import MARKET_ASSET, Assets
from protocol.terms import NATIVE, Token
from services.cli.account_text import AccountText
from services.cli.amounts import Wei
from services.cli.options import ConfigFile, Json
from services.cli.output import named, print_json
from services.cli.standard_streams import visible
from services.cli.store_option import existing_store
from services.cli.tables import print_table
from services.common.errors import ConfigurationError
from services.common.files import require_new, write_private
from services.common.times import format_time
from services.config.daemons import ROLES, Participant, ParticipantConfig, load
from services.identity.keystore import public_identity
from services.records.earnings import Account, Payment, accounts_of
from services.records.earnings_csv import earnings_csv
from services.store import Store

_By = Annotated[Literal["training", "month"], typer.Option("--by", help="A line for each of these.")]
_Csv = Annotated[
    Path | None,
    typer.Option("--csv", help="Write every movement to this new file: exact amounts, times, transactions."),
]
_Force = Annotated[bool, typer.Option("--force", help="Replace the file of --csv if it exists.")]


def earnings(
    config: ConfigFile,
    by: _By = "training",
    csv: _Csv = None,
    force: _Force = False,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """What an owner or an aggregator earned, or a buyer spent, as the chain has confirmed it.

    Fees of transactions are not in it. Months are those of UTC.
    """
    settings = load(config)
    if not isinstance(settings, Participant):
        raise ConfigurationError(f"{config} configures the daemon {settings.daemon}: no money goes by it")
    with existing_store(None, config) as store:
        accounts = accounts_in(store, settings)
    if csv is not None:
        require_new(csv, force=force)
        content = earnings_csv(accounts, settings.names, settings.assets)
        write_private(csv, content.encode(), replace=force)
    if json:
        print_json(_documents(accounts, settings.assets))
        return
    for account in told(accounts):
        _print(AccountText(account, wei, settings.assets), settings, config, by)
    if csv is not None:
        movements = sum(len(account.payments) for account in accounts)
        typer.echo(visible(f"{movements} movements are in {csv}"), err=True)


def told(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """Those in which something moved; without any that of the chain's own coin, which says so."""
    return tuple(account for account in accounts if account.payments) or accounts[:1]


def accounts_in(store: Store, settings: ParticipantConfig) -> tuple[Account, ...]:
    """The accounts of the party whose configuration this is, in its store, that of ether first.

    Raises ConfigurationError where its key store, which has its address, cannot be read.
    """
    return accounts_of(store, ROLES[settings.daemon], public_identity(settings.keystore).address)


def _print(text: AccountText, settings: Participant, config: Path, by: str) -> None:
    for line in text.summary(config):
        typer.echo(line)
    if text.account.payments and by == "training":
        _print_trainings(text, settings.names)
    elif text.account.payments:
        _print_months(text)


def _print_trainings(whole: AccountText, names: Mapping[str, str]) -> None:
    account = whole.account
    is_buyer = account.role == "model_buyer"
    heads = ("aggregator", "deposited", "came back") if is_buyer else ("buyer", "earned", "for")
    rows = []
    for number, part in account.by_training().items():
        deal, text = account.deals[number], replace(whole, account=part)
        other = named(deal.aggregator if is_buyer else deal.buyer, names)
        rows.append((number, deal.name, other, *text.figures, _last(part)))
    print_table(("training", "request", *heads, "last change"), rows, right=("training",))


def _print_months(whole: AccountText) -> None:
    account = whole.account
    heads = ("deposited", "came back") if account.role == "model_buyer" else ("earned", "for")
    rows = (
        (month, len(part.by_training()), *text.figures, text.money(part.paid_out))
        for month, part in account.by_month().items()
        for text in [replace(whole, account=part)]
    )
    print_table(("month (UTC)", "trainings", *heads, "withdrawn"), rows, right=("trainings",))


def _last(part: Account) -> str:
    assert part.last_at is not None
    return format_time(part.last_at)


def _documents(accounts: tuple[Account, ...], assets: Assets) -> dict[str, Any]:
    """That of the chain's own coin, with those of tokens by address."""
    own, *others = accounts
    tokens = {
        account.token: {
            "symbol": assets.of(account.token).symbol if assets.is_known(account.token) else None,
            **_document(account),
        }
        for account in others
    }
    return {"role": own.role, "address": own.address, **_document(own), "tokens": tokens}


def _document(account: Account) -> dict[str, Any]:
    return {
        **_amounts(account),
        f"credit_{_unit(account.token)}": str(account.credit),
        f"unclaimed_{_unit(account.token)}": str(account.unclaimed),
        "trainings": [_training(account, number, part) for number, part in account.by_training().items()],
        "months": [{"month": month, **_amounts(part)} for month, part in account.by_month().items()],
        "payments": [_payment(payment) for payment in account.payments],
    }


def _training(account: Account, number: int, part: Account) -> dict[str, Any]:
    deal = account.deals[number]
    about = {"training": number, "name": deal.name, "buyer": deal.buyer, "aggregator": deal.aggregator}
    return {**about, "is_over": deal.is_over, **_amounts(part), "changed_at": _last(part)}


def _amounts(part: Account) -> dict[str, Any]:
    figures: dict[str, Any]
    if part.role == "model_buyer":
        figures = {"deposited": str(part.deposits), "returned": str(part.refunded)}
    else:
        shares = {share: str(amount) for share, amount in part.shares.items()}
        figures = {"earned": str(part.earned), "shares": shares}
    figures |= {
        "withdrawn": str(part.paid_out),
        "bonds_returned": str(part.bonds_returned),
        "bonds_lost": str(part.forfeited),
    }
    return {f"{name}_{_unit(part.token)}": figure for name, figure in figures.items()}


def _unit(token: Token) -> str:
    """What figures of it are counted in."""
    return MARKET_ASSET.smallest if token == NATIVE else "units"


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "time": format_time(payment.at),
        "kind": payment.kind,
        "share": payment.share,
        "training": payment.training,
        f"amount_{_unit(payment.token)}": str(payment.amount),
        "block": payment.block,
        "transaction": payment.transaction,
    }
