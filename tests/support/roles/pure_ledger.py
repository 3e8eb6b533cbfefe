"""The contract's money in plain Python: what is deposited, earned by recorded rounds, credited, withdrawn."""

from collections import Counter

from protocol.marketplace import Credited, Opened, RoundRecorded
from protocol.records import RoundRecord
from protocol.types import seats_of

_BASIS_POINTS, _ONE = 10_000, 10**18


class PureLedger:
    """One training's. Pay accrues by rounds, as in Solidity; `roles.pay` adds it up afterwards."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.escrow = opened.deposit
        self.credits: Counter[str] = Counter()
        self.withdrawn: Counter[str] = Counter()
        self.credited: list[Credited] = []
        self.first = self.left = self.delivered = self.aggregation = 0
        self.fixed: Counter[int] = Counter()
        self.weights: Counter[int] = Counter()

    @property
    def total(self) -> int:
        """Every wei that the contract knows of."""
        return self.escrow + self.credits.total() + self.withdrawn.total()

    def accrue(self, event: RoundRecorded) -> None:
        """A round was recorded; the last one earns the fixed shares of those that are left out."""
        record, terms = event.record, self.opened.terms
        rounds = terms.rounds - record.round + 1 if record.last else 1
        base, scale = self.opened.deposit * rounds, _BASIS_POINTS * terms.rounds
        self.first = self.first or record.mse_before
        self.left = (self.left or self.first) * event.mse_after // record.mse_before
        self.delivered = self.left if record.delivers else self.delivered
        self.aggregation += base * terms.aggregation_bps // scale
        self._fixed(record, base * terms.participation_bps // scale, base * terms.validation_bps // scale)
        self.weights.update(dict(zip(seats_of(record.trainers), event.pay_weights, strict=True)))

    def _fixed(self, record: RoundRecord, participation: int, validation: int) -> None:
        for mask, whole in ((record.trainers, participation), (record.validators, validation)):
            seats = list(seats_of(mask))
            self.fixed.update(dict.fromkeys(seats, whole // len(seats)))

    def settle(self, seats: list[str], validators: int) -> tuple[int, int, int]:
        """Credit everybody; (improvement, paid, refund)."""
        terms, deposit = self.opened.terms, self.opened.deposit
        improvement = max(self.first - self.delivered, 0) * _ONE // self.first
        pot = deposit * terms.contribution_bps * improvement // (_BASIS_POINTS * _ONE)
        for seat, owner in enumerate(seats):
            if self.weights[seat]:
                self._credit(owner, "contribution", pot * self.weights[seat] // self.weights.total())
            share = "validation" if validators >> seat & 1 else "participation"
            self._credit(owner, share, self.fixed[seat])
        self._credit(terms.aggregator, "aggregation", self.aggregation)
        paid = sum(credit.amount for credit in self.credited)
        self.refund(deposit - paid)
        return improvement, paid, deposit - paid

    def abandon(self, owners: list[str]) -> int:
        """Credit those who were drawn with the price of leaving; the refund."""
        for owner in owners:
            whole = self.opened.deposit * self.opened.terms.abandon_bps // _BASIS_POINTS
            self._credit(owner, "abandonment", whole // len(owners))
        left = self.opened.deposit - sum(credit.amount for credit in self.credited)
        self.refund(left)
        return left

    def refund(self, amount: int) -> None:
        """The rest is the buyer's, and the training holds nothing any more."""
        self._credit(self.opened.buyer, "refund", amount)
        self.escrow = 0

    def withdraw(self, account: str) -> int:
        """Pay an account's credit out; how much it was."""
        amount = self.credits.pop(account, 0)
        self.withdrawn[account] += amount
        return amount

    def _credit(self, account: str, share: str, amount: int) -> None:
        if amount:
            self.credits[account] += amount
            token = self.opened.terms.token
            self.credited.append(
                Credited(training=1, account=account, share=share, token=token, amount=amount)
            )
