"""What an owner sees of its data sets, budgets and money: pure functions from store and catalogue."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.console.owner.views import Training, policy_in_force
from services.console.party import Party
from services.records.owner_account import Payment, counts_of, payments


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Trainings of a data set, for one buyer or for all together; no limit set: by a count of equations."""

    data_set: str
    buyer: str | None
    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class TrainingPay:
    """What one training paid, by share."""

    training: int
    key: str | None
    name: str | None
    shares: Mapping[str, int]
    at: float

    @property
    def total(self) -> int:
        """All shares together."""
        return sum(self.shares.values())


@dataclass(frozen=True, slots=True)
class Earnings:
    """An owner's money: lists with the newest first; `credit` is what the contract holds for it."""

    trainings: tuple[TrainingPay, ...]
    withdrawals: tuple[Payment, ...]
    earned: int
    withdrawn: int
    credit: int
    automatic: bool


def budget_lines(party: Party) -> tuple[BudgetLine, ...]:
    """Each data set in total, then for each buyer that used it or has a limit of its own."""
    budget, counts = policy_in_force(party).budget, counts_of(party.store)
    names = {entry.name for entry in party.owner.catalogue.list()} | counts.data_sets()
    lines = []
    for name in sorted(names | {limit.data_set for limit in budget.limits}):
        lines.append(BudgetLine(name, None, counts.in_total(name), budget.limit_of(name, None)))
        limited = {limit.buyer for limit in budget.limits if limit.data_set == name and limit.buyer}
        lines += [
            BudgetLine(name, buyer, counts.of_buyer(name, buyer), budget.limit_of(name, buyer))
            for buyer in sorted(counts.buyers(name) | limited)
        ]
    return tuple(lines)


def in_use(party: Party, name: str) -> bool:
    """Whether a training under way works with a data set: it needs the same one to its end."""
    trainings = (Training.find(party, key) for key in party.store.keys_shown(("INITIATED", "IN_PROGRESS")))
    return any(training is not None and training.state.data_set == name for training in trainings)


def earnings(party: Party) -> Earnings:
    """Credits by training and share, and withdrawals."""
    account = payments(party.store, party.address)
    shares: dict[int, Counter[str]] = {}
    at: dict[int, float] = {}
    for payment in account.credited:
        assert payment.training is not None
        assert payment.share is not None
        shares.setdefault(payment.training, Counter())[payment.share] += payment.amount
        at[payment.training] = payment.at
    rows = [_training_pay(party, number, shares[number], at[number]) for number in shares]
    return Earnings(
        trainings=tuple(sorted(rows, key=lambda row: row.at, reverse=True)),
        withdrawals=tuple(reversed(account.withdrawn)),
        earned=account.earned,
        withdrawn=account.paid_out,
        credit=account.credit,
        automatic=policy_in_force(party).withdraw,
    )


def _training_pay(party: Party, number: int, shares: Mapping[str, int], at: float) -> TrainingPay:
    key = party.store.key_of(number)
    training = None if key is None else Training.find(party, key)
    request = None if training is None else training.state.request
    return TrainingPay(number, key, None if request is None else request.name, dict(shares), at)
