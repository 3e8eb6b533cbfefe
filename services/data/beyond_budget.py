"""Whether curves or standard errors may publish more than owners that set no budget let one buyer have."""

from typing import NamedTuple

from protocol.request import Request
from protocol.roles.owner.budget import most_numbers
from protocol.roles.owner.default_budget import safe_in_total, safe_per_buyer


class BeyondBudget(NamedTuple):
    """The numbers that a training may publish at most; what owners allow by default, a buyer and in all."""

    asked: int
    limit: int
    in_total: int

    @property
    def command(self) -> str:
        """With which an owner allows as many, of its own daemon's file."""
        total = f" --in-total {self.asked}" if self.asked > self.in_total else ""
        return f"deltaml budget --config OWNER.yaml --per-buyer {self.asked}{total}"

    def __str__(self) -> str:
        """For people, with the remedy."""
        return (
            f"the training may publish {self.asked} numbers about each owner's rows; by default owners let a "
            f"buyer have {self.limit} about these columns, which neither curves nor standard errors raise: "
            "ask for fewer curves, rounds or owners.maximum, leave inference out, or agree with owners that "
            f"they allow more: {self.command}"
        )


def beyond_budget(request: Request) -> BeyondBudget | None:
    """What is to be told before the order; None without either, and where the default is enough."""
    found = BeyondBudget(most_numbers(request), safe_per_buyer(request), safe_in_total(request))
    return found if (request.basis or request.inference) and found.asked > found.limit else None
