"""What an owner sees of its data sets and budgets: pure functions from store and catalogue."""

from dataclasses import dataclass

from services.console.owner.views import Training, policy_in_force
from services.console.party import Party
from services.records.owner_account import counts_of


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Trainings of a data set, for one buyer or for all together; no limit set: by a count of equations."""

    data_set: str
    buyer: str | None
    used: int
    limit: int | None


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
