"""The aggregator of a checked training, stopped before each kind of input: one market, run once a process."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from protocol.envelope import SignedMessage
from protocol.roles.engine.inputs import Input, MessageReceived, TimerFired, input_name
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import refusal

VALIDATORS = (4, 5, 6)
"""Of seven owners: two are enough for a round."""


@dataclass
class Stopped:
    """The aggregator before an input, and the market that it belongs to, whose end has come since."""

    market: PureMarket
    party: Party
    item: Input

    @property
    def message(self) -> SignedMessage:
        """The message that was about to arrive."""
        assert isinstance(self.item, MessageReceived)
        return self.item.signed

    def receive(self, message: SignedMessage | None = None) -> tuple[Any, ...]:
        """The effects of a message, by default of the one that was about to arrive."""
        step = self.market.deliver(self.party, MessageReceived(signed=message or self.message))
        assert step is not None
        return step.effects

    def fire(self, name: str) -> tuple[Any, ...]:
        """The effects of a timer."""
        step = self.market.deliver(self.party, TimerFired(name=name))
        assert step is not None
        return step.effects

    def refused(self, message: SignedMessage) -> str:
        """The code with which a message is refused, with no other effect."""
        return refusal(self.market, self.party, message)

    @property
    def lane(self) -> Any:
        """The round in evaluation."""
        return self.party.decoded.evaluation


@cache
def _recorded() -> tuple[PureMarket, dict[tuple[str, int], list[tuple[Party, Input]]]]:
    market = checked_market(VALIDATORS, owners=7, schedule={"rounds": 2, "local_steps": 2, "tolerance": 0})
    found: dict[tuple[str, int], list[tuple[Party, Input]]] = {}
    deliver = market.deliver

    def recording(party: Party, item: Input) -> Any:
        if party is market.aggregator and party.state is not None:
            place = item.signed.envelope.round if isinstance(item, MessageReceived) else 0
            before = replace(party, blobs=dict(party.blobs))
            found.setdefault((input_name(item), place), []).append((before, item))
        return deliver(party, item)

    market.deliver = recording  # type: ignore[method-assign]
    market.finish()
    market.deliver = deliver  # type: ignore[method-assign]
    return market, found


def stopped_before(name: str, round_number: int = 0, which: int = 0) -> Stopped:
    """Before the first, or another, input of a name; a message's is of this round."""
    market, found = _recorded()
    party, item = found[(name, round_number)][which]
    fresh = replace(
        party,
        blobs=dict(party.blobs),
        timers=dict(party.timers),
        facts=[],
        violations=[],
        inbox=[],
        values=dict(party.values),
    )
    return Stopped(market, fresh, item)


def sent(effects: Sequence[Any]) -> list[tuple[str, str]]:
    """Types and recipients of the messages among effects."""
    return [(one.body.type, one.recipient) for one in effects if one.effect == "send"]


def facts_of(effects: Sequence[Any]) -> list[tuple[str, Any]]:
    """Names and data of the facts among effects."""
    return [(one.name, one.data) for one in effects if one.effect == "fact"]
