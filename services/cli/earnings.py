"""`deltaml earnings`: what a party earned or spent, by training or by month, and every movement as a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

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
from services.records.earnings import Account, Payment, account_of
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
        account = account_in(store, settings)
    if csv is not None:
        require_new(csv, force=force)
        write_private(csv, earnings_csv(account, settings.names).encode(), replace=force)
    if json:
        print_json(_document(account))
        return
    for line in AccountText(account, wei).summary(config):
        typer.echo(line)
    if account.payments and by == "training":
        _print_trainings(account, settings.names, wei=wei)
    elif account.payments:
        _print_months(account, wei=wei)
    if csv is not None:
        typer.echo(visible(f"{len(account.payments)} movements are in {csv}"), err=True)


def account_in(store: Store, settings: ParticipantConfig) -> Account:
    """The account of the party whose configuration this is, in its store.

    Raises ConfigurationError where its key store, which has its address, cannot be read.
    """
    return account_of(store, ROLES[settings.daemon], public_identity(settings.keystore).address)


def _print_trainings(account: Account, names: Mapping[str, str], *, wei: bool) -> None:
    is_buyer = account.role == "model_buyer"
    heads = ("aggregator", "deposited", "came back") if is_buyer else ("buyer", "earned", "for")
    rows = []
    for number, part in account.by_training().items():
        deal, text = account.deals[number], AccountText(part, wei)
        other = named(deal.aggregator if is_buyer else deal.buyer, names)
        rows.append((number, deal.name, other, *text.figures, _last(part)))
    print_table(("training", "request", *heads, "last change"), rows, right=("training",))


def _print_months(account: Account, *, wei: bool) -> None:
    heads = ("deposited", "came back") if account.role == "model_buyer" else ("earned", "for")
    rows = (
        (month, len(part.by_training()), *text.figures, text.money(part.paid_out))
        for month, part in account.by_month().items()
        for text in [AccountText(part, wei)]
    )
    print_table(("month (UTC)", "trainings", *heads, "withdrawn"), rows, right=("trainings",))


def _last(part: Account) -> str:
    assert part.last_at is not None
    return format_time(part.last_at)


def _document(account: Account) -> dict[str, Any]:
    return {
        "role": account.role,
        "address": account.address,
        **_amounts(account),
        "credit_wei": str(account.credit),
        "trainings": [_training(account, number, part) for number, part in account.by_training().items()],
        "months": [{"month": month, **_amounts(part)} for month, part in account.by_month().items()],
        "payments": [_payment(payment) for payment in account.payments],
    }


def _training(account: Account, number: int, part: Account) -> dict[str, Any]:
    deal = account.deals[number]
    about = {"training": number, "name": deal.name, "buyer": deal.buyer, "aggregator": deal.aggregator}
    return {**about, "is_over": deal.is_over, **_amounts(part), "changed_at": _last(part)}


def _amounts(part: Account) -> dict[str, Any]:
    if part.role == "model_buyer":
        figures: dict[str, Any] = {"deposited_wei": str(part.deposits), "returned_wei": str(part.refunded)}
    else:
        shares = {share: str(amount) for share, amount in part.shares.items()}
        figures = {"earned_wei": str(part.earned), "shares_wei": shares}
    return {**figures, "withdrawn_wei": str(part.paid_out)}


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "time": format_time(payment.at),
        "kind": payment.kind,
        "share": payment.share,
        "training": payment.training,
        "amount_wei": str(payment.amount),
        "block": payment.block,
        "transaction": payment.transaction,
    }
