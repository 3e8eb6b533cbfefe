"""States of every phase of checked rounds, and of every step of an aggregator's round."""

from dataclasses import replace
from typing import Any

from protocol.owner_policy import OwnerPolicy
from protocol.roles.dispatch import CHECKED_ROLES
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Input
from tests.support.roles.checked_markets import checked_request
from tests.support.roles.phases import deciding
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import COLUMNS, small_data, without

_SCHEDULE = {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}


class KeptMarket(PureMarket):
    """Keeps the smallest state of each place that its parties come to; see `place_of`."""

    def __init__(self, found: dict[str, bytes], **options: Any) -> None:
        request = checked_request(schedule=_SCHEDULE)
        fixed = {"validators": [2, 3, 4], "roles": CHECKED_ROLES}
        super().__init__(request, small_data(owners=5), COLUMNS, **fixed, **options)
        self.found = found

    def context(self, party: Party) -> Context:
        """As a daemon of a checked market has it."""
        return replace(super().context(party), rounds="checked")

    def deliver(self, party: Party, item: Input) -> Any:
        """A step, whose state is kept where it is the first of its place, or smaller."""
        step = super().deliver(party, item)
        if party.state is not None:
            place = place_of(party.role, party.decoded)
            self.found[place] = min(self.found.get(place, party.state), party.state, key=len)
        return step


def place_of(role: str, state: Any) -> str:
    """Role and phase, and how far the round has come that is measured, where that is a state's to know."""
    lane = getattr(state, "evaluation", None)
    return "-".join((role, state.phase, *(() if lane is None else (lane.status,))))


def checked_states() -> dict[str, bytes]:
    """Packed states by place.

    Of trainings that go well, are given up, are measured again without somebody, and of owners that decline.
    """
    found: dict[str, bytes] = {}
    good, given_up, again = (KeptMarket(found) for _ in range(3))
    declining = KeptMarket(found, policy=OwnerPolicy(budget=AMPLE))
    given_up.intercept = without("moment_answer")
    again.intercept = without("proven_metric", sender=again.owners[2])
    declining.intercept = lambda message: deciding(declining, message)
    for market in (good, given_up, again, declining):
        market.start()
        market.finish()
    return found
