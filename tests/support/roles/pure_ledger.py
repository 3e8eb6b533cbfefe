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
        self.unclaimed: dict[str, list[tuple[str, int]]] = {}
        self.first = self.left = self.delivered = self.aggregation = self.improved = 0
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
        if (record.round - 1) % (terms.rounds // terms.folds) == 0:
            self.improved += self.improvement
            self.first = self.left = record.mse_before
        self.left = self.left * event.mse_after // record.mse_before
        self.delivered = self.left if record.delivers else self.delivered
        self.aggregation += base * terms.aggregation_bps // scale
        self._fixed(record, base * terms.participation_bps // scale, base * terms.validation_bps // scale)
        self.weights.update(dict(zip(seats_of(record.trainers), event.pay_weights, strict=True)))

    @property
    def improvement(self) -> int:
        """Of the fold under way."""
        return max(self.first - self.delivered, 0) * _ONE // self.first if self.first else 0

    def _fixed(self, record: RoundRecord, participation: int, validation: int) -> None:
        for mask, whole in ((record.trainers, participation), (record.validators, validation)):
            seats = list(seats_of(mask))
            self.fixed.update(dict.fromkeys(seats, whole // len(seats)))

    def settle(self, seats: list[str], validators: int) -> tuple[int, int, int]:
        """Credit aggregator and buyer, keep what the owners claim; (improvement, paid, refund)."""
        terms, deposit = self.opened.terms, self.opened.deposit
        improvement = (self.improved + self.improvement) // terms.folds
        pot = deposit * terms.contribution_bps * improvement // (_BASIS_POINTS * _ONE)
        whole = self.weights.total()
        for seat, owner in enumerate(seats):
            validates = terms.folds == 1 and validators >> seat & 1
            share = "validation" if validates else "participation"
            contribution = pot * self.weights[seat] // whole if whole else 0
            if self.weights[seat] or self.fixed[seat]:
                self.unclaimed[owner] = [("contribution", contribution), (share, self.fixed[seat])]
        self._credit(terms.aggregator, "aggregation", self.aggregation)
        kept = (pot if whole else 0) + self.fixed.total()
        paid = kept + self.aggregation
        self.refund(deposit - paid, kept)
        return improvement, paid, deposit - paid

    def abandon(self, owners: list[str]) -> int:
        """Keep the price of leaving for those who were drawn; the refund."""
        whole = self.opened.deposit * self.opened.terms.abandon_bps // _BASIS_POINTS
        if each := whole // len(owners) if owners else 0:
            self.unclaimed = {owner: [("abandonment", each)] for owner in owners}
        left = self.opened.deposit - each * len(owners)
        self.refund(left, each * len(owners))
        return left

    def refund(self, amount: int, kept: int) -> None:
        """The rest is the buyer's, and the training holds what is kept."""
        self._credit(self.opened.buyer, "refund", amount)
        self.escrow = kept

    def claimable(self, owner: str) -> int:
        """What an owner could claim now."""
        return sum(amount for _share, amount in self.unclaimed.get(owner, ()))

    def claim(self, owner: str) -> bool:
        """Credit an owner its pay, with the last the buyer what is left over; False where there is none."""
        if owner not in self.unclaimed:
            return False
        for share, amount in self.unclaimed.pop(owner):
            self._credit(owner, share, amount)
            self.escrow -= amount
        if not self.unclaimed:
            self.refund(self.escrow, 0)
        return True

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
