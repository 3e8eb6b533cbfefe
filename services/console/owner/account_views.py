"""What an owner sees of its data sets, budgets and money: pure functions from store and catalogue."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.console.owner.views import policy_in_force, state_of
from services.console.party import OwnerResources
from services.data.catalog import ColumnRange, Entry
from services.records.owner_account import Payment, counts_of, payments
from services.store import Store


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Trainings of a data set, for one buyer or for all together; no limit set: by a count of equations."""

    data_set: str
    buyer: str | None
    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of the catalogue and how often it was used."""

    name: str
    rows: int
    columns: tuple[ColumnRange, ...]
    source: str
    added_at: float
    trainings: int


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
    """An owner's money: lists with the newest first."""

    trainings: tuple[TrainingPay, ...]
    withdrawals: tuple[Payment, ...]
    earned: int
    withdrawn: int
    automatic: bool

    @property
    def credit(self) -> int:
        """What the contract holds for this owner, as far as the confirmed events tell."""
        return max(0, self.earned - self.withdrawn)


def budget_lines(store: Store, owner: OwnerResources) -> tuple[BudgetLine, ...]:
    """Each data set in total, then for each buyer that used it or has a limit of its own."""
    budget, counts = policy_in_force(store, owner).budget, counts_of(store)
    names = {entry.name for entry in owner.catalogue.list()} | counts.data_sets()
    lines = []
    for name in sorted(names | {limit.data_set for limit in budget.limits}):
        lines.append(BudgetLine(name, None, counts.in_total(name), budget.limit_of(name, None)))
        limited = {limit.buyer for limit in budget.limits if limit.data_set == name and limit.buyer}
        lines += [
            BudgetLine(name, buyer, counts.of_buyer(name, buyer), budget.limit_of(name, buyer))
            for buyer in sorted(counts.buyers(name) | limited)
        ]
    return tuple(lines)


def data_sets(store: Store, owner: OwnerResources) -> tuple[DataSet, ...]:
    """The catalogue by name."""
    counts = counts_of(store)
    return tuple(_data_set(entry, counts.in_total(entry.name)) for entry in owner.catalogue.list())


def data_set(store: Store, owner: OwnerResources, name: str) -> DataSet:
    """One data set; raises DataSetError when there is none."""
    return _data_set(owner.catalogue.entry(name), counts_of(store).in_total(name))


def in_use(store: Store, name: str) -> bool:
    """Whether a training under way works with a data set: it needs the same one to its end."""
    keys = store.keys_shown(("INITIATED", "IN_PROGRESS"))
    rows = [store.instance(key) for key in keys]
    return any(row is not None and state_of(row).data_set == name for row in rows)


def earnings(store: Store, owner: OwnerResources, address: str) -> Earnings:
    """Credits by training and share, and withdrawals."""
    credited, withdrawn = payments(store, address)
    shares: dict[int, Counter[str]] = {}
    at: dict[int, float] = {}
    for payment in credited:
        assert payment.training is not None
        assert payment.share is not None
        shares.setdefault(payment.training, Counter())[payment.share] += payment.amount
        at[payment.training] = payment.at
    rows = [_training_pay(store, number, shares[number], at[number]) for number in shares]
    return Earnings(
        trainings=tuple(sorted(rows, key=lambda row: row.at, reverse=True)),
        withdrawals=tuple(reversed(withdrawn)),
        earned=sum(payment.amount for payment in credited),
        withdrawn=sum(payment.amount for payment in withdrawn),
        automatic=policy_in_force(store, owner).withdraw,
    )


def _training_pay(store: Store, number: int, shares: Mapping[str, int], at: float) -> TrainingPay:
    key = store.key_of(number)
    row = None if key is None else store.instance(key)
    request = None if row is None else state_of(row).request
    return TrainingPay(number, key, None if request is None else request.name, dict(shares), at)


def _data_set(entry: Entry, trainings: int) -> DataSet:
    return DataSet(entry.name, entry.rows, entry.columns, entry.source, entry.added_at.timestamp(), trainings)
