"""`deltaml withdraw`: an owner's credit, paid out by the contract, to itself or to another account."""

import sys
from typing import Annotated

import typer

from protocol.errors import MisuseError
from protocol.messages import WithdrawOrder
from protocol.terms import NATIVE, Token
from protocol.types import ZERO_ADDRESS
from services.cli.account_text import AccountText
from services.cli.amounts import token_named
from services.cli.earnings import accounts_in
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import ANSWER_SECONDS, NoWait, Wait, give_order, opened_store
from services.cli.orders import told_answer
from services.cli.output import print_outcome
from services.common.addresses import is_address, plain_address
from services.config.daemons import DataOwnerConfig, load
from services.records.earnings import Account


def withdraw(
    config: ConfigFile,
    *,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Pay it to this account, not to the owner's own.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="The credit in this token: its address, or a configured symbol.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Pay to another account without asking.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the daemon's store, restored perhaps, knows no credit.")
    ] = False,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the contract pay an owner's credit out; needed where the policy does not do so by itself.

    What trainings that are over keep for the owner is claimed first.
    """
    settings = load(config, "data-owner")
    paid_in = NATIVE if token is None else token_named("--token", token, settings.assets)
    receiver = _receiver(settings, to, paid_in)
    seconds = 0.0 if no_wait else wait
    if (seconds and not force) or receiver is not None:
        text = _credit(settings, paid_in, force=force)
        if receiver is not None and not yes:
            _confirm(f"pay {text.money(text.account.credit + text.account.unclaimed)} to {receiver}?")
    order = WithdrawOrder(token=paid_in, to=receiver)
    _, answer = give_order(settings, "data_owner", order, seconds=seconds)
    about = {} if receiver is None else {"to": receiver}
    print_outcome({"withdrawal": "asked", **about, **told_answer(answer)}, json=json)


def _receiver(settings: DataOwnerConfig, to: str | None, token: Token) -> str | None:
    """Raises MisuseError for an account at which the money would be lost."""
    if to is None:
        return None
    if not is_address(to):
        raise MisuseError(f"--to {to!r} is no address: write 0x and 40 hexadecimal digits")
    receiver = plain_address(to)
    losing = {
        token: "the token itself",
        settings.chain.contract: "the market's contract",
        ZERO_ADDRESS: "nobody's",
    }
    whose = losing.get(receiver)
    if whose is not None:
        raise MisuseError(f"--to {to} is {whose}: what is paid to it is lost; name an account of yours")
    return receiver


def _credit(settings: DataOwnerConfig, token: Token, *, force: bool) -> AccountText:
    """What there is to withdraw. Raises MisuseError where the store knows of nothing."""
    with opened_store(settings) as store:
        accounts = {account.token: account for account in accounts_in(store, settings)}
    own = accounts[NATIVE]
    account = accounts.get(token) or Account(own.role, own.address, token=token)
    text = AccountText(account, assets=settings.assets)
    if not account.credit and not account.unclaimed and not force:
        raise MisuseError(
            f"there is nothing to withdraw: {text.money(account.earned)} credited so far, "
            f"{text.money(account.paid_out)} paid out; --force asks the contract all the same"
        )
    return text


def _confirm(question: str) -> None:
    """Raises MisuseError without a terminal to ask on, and typer.Abort where a person says no."""
    if not sys.stdin.isatty():
        raise MisuseError(f"{question} there is no terminal to ask on: give --yes if this is meant")
    typer.confirm(question, abort=True, err=True)
