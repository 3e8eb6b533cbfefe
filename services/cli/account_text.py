"""What an account comes to, for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.asset import NO_TOKENS, Assets
from protocol.terms import NATIVE
from services.cli.amounts import money
from services.cli.standard_streams import visible
from services.records.earnings import Account


@dataclass(frozen=True, slots=True)
class AccountText:
    """Of an account or a part of it, in whole units or in `wei`."""

    account: Account
    wei: bool = False
    assets: Assets = NO_TOKENS

    @property
    def is_buyer(self) -> bool:
        """Whether the party pays instead of being paid."""
        return self.account.role == "model_buyer"

    def summary(self, config: Path) -> Iterator[str]:
        """All of it, in a sentence each; `config` is the file of the party's daemon."""
        account = self.account
        if self.is_buyer:
            yield self._spending()
        elif account.earned:
            yield f"earned {self.money(account.earned)} in {_count(account)}: {self.shares}"
        else:
            yield "nothing is earned yet: pay is credited when a training is settled"
        if account.unclaimed:
            yield f"to be claimed: {self.money(account.unclaimed)} (its daemon claims it)"
        if account.credited:
            credit = self._credit(config)
            yield f"withdrawn: {self.money(account.paid_out)}; credited and not withdrawn: {credit}"
        if account.bonds_returned or account.forfeited:
            back, lost = map(self.money, (account.bonds_returned, account.forfeited))
            yield f"bonds: {back} came back, {lost} lost"

    @property
    def shares(self) -> str:
        """What it is paid for, and how much for each."""
        shares = self.account.shares.items()
        return ", ".join(f"{share} {self.money(amount)}" for share, amount in shares if amount)

    @property
    def figures(self) -> tuple[str, str]:
        """What a line has of it: pay and for what, or deposits and what came back of them."""
        account = self.account
        if self.is_buyer:
            return self.money(account.deposits), self.money(account.refunded)
        return self.money(account.earned), self.shares

    def money(self, amount: int) -> str:
        """An amount with its unit."""
        return money(amount, wei=self.wei, asset=self.assets.of(self.account.token))

    def _spending(self) -> str:
        account = self.account
        if not account.deposited:
            return "nothing is spent yet: a deposit is paid when a training opens"
        deposits, refunded, running = map(self.money, (account.deposits, account.refunded, account.in_escrow))
        return (
            f"spent {self.money(account.spent)} in {_count(account)}: {deposits} deposited, {refunded} came "
            f"back, {running} in trainings that run"
        )

    def _credit(self, config: Path) -> str:
        if not self.account.credit:
            return "nothing"
        is_owner = self.account.role == "data_owner"
        token = "" if self.account.token == NATIVE else f" --token {self.account.token}"
        way = f"deltaml withdraw --config {config}{token}" if is_owner else "its daemon withdraws it"
        return visible(f"{self.money(self.account.credit)} ({way})")


def _count(account: Account) -> str:
    count = len(account.by_training())
    return "1 training" if count == 1 else f"{count} trainings"
