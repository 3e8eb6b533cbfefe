"""Faults that honest parties suffer beside an adversary: deaths, delays, another order, copies.

None lasts beyond a deadline: a party that is away for longer is a silent one, which the catalogue has.
They go past the inboxes that know a message by its id, so that the handlers themselves stand against them.
All of it follows from one seed.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from random import Random
from typing import Any

from protocol.envelope import SignedMessage
from protocol.roles import dispatch
from protocol.roles.engine.inputs import Input, MessageReceived
from tests.adversaries.arena import Arena
from tests.support.roles.pure_party import Party

DEATHS, LATE, TWICE = 0.06, 0.2, 0.15
"""Shares of the deliveries that kill their recipient, of those that are late, and of those made twice."""
LONGEST = 80
"""Deliveries by which a late message may be overtaken."""
LOST = 3
"""Inputs that come again, and messages that go out again, after a death: those not yet acknowledged."""
_OVER = frozenset({"already_opened", "already_started", "attempt_out_of_order", "round_out_of_order"})


def is_of_a_repetition(code: str) -> bool:
    """Whether a party says this of the second copy of a message or event, whoever made it."""
    return code.endswith("_twice") or code in _OVER


class Fault(StrEnum):
    """What befalls the honest."""

    KILL = "kill"
    DELAY = "delay"
    REORDER = "reorder"
    DUPLICATE = "duplicate"


class Mortal(Arena):
    """An arena in which honest parties die, before or after what a step did was written."""

    def dying(self, random: Random) -> None:
        """Deaths from now on, as `random` has them."""
        self.fate = random
        self.posted: dict[str, list[SignedMessage]] = {}

    def post(self, message: SignedMessage) -> None:
        self.posted.setdefault(message.envelope.sender, []).append(message)
        super().post(message)

    def deliver(self, party: Party, item: Input) -> Any:
        """One step, which a death may undo, or have followed by all that was not acknowledged."""
        spared = party.address == self.adversary or party.state is None or self.fate.random() >= DEATHS
        if spared:
            return super().deliver(party, item)
        if self.fate.random() < 0.5:
            dispatch.run_step(party.role, party.state, item, self.context(party), roles=self.roles)
            return super().deliver(party, item)
        step = super().deliver(party, item)
        self._again(party)
        return step

    def _again(self, party: Party) -> None:
        inputs = [one for one in party.inbox[-LOST:] if isinstance(one, MessageReceived)]
        self.pending.extend((party.address, one) for one in inputs)
        for message in self.posted.get(party.address, [])[-LOST:]:
            super().post(message)


def suffer(arena: Arena, fault: Fault, random: Random) -> None:
    """From now on the arena's honest parties suffer this."""
    match fault:
        case Fault.KILL:
            arena.__class__ = Mortal
            assert isinstance(arena, Mortal)
            arena.dying(random)
        case Fault.DELAY:
            _order(arena, _delayed(arena, random))
        case Fault.REORDER:
            _order(arena, lambda eligible: random.sample(eligible, len(eligible)))
        case Fault.DUPLICATE:
            arena.duplicate = lambda: random.random() < TWICE


Ordering = Callable[[Sequence[int]], Sequence[int]]


def _order(arena: Arena, ordering: Ordering) -> None:
    """Deliveries come in this order, out of which an adversary that chooses has its choice.

    What the adversary sends comes at once, as it sent it: too late, its cheat would be none.
    """
    chosen = arena.choose

    def choose(eligible: Sequence[int]) -> int:
        its = [one for one in eligible if _is_the_adversarys(arena, one)]
        return chosen([*its, *(one for one in ordering(eligible) if one not in its)])

    arena.choose = choose


def _is_the_adversarys(arena: Arena, position: int) -> bool:
    _, item = arena.pending[position]
    return isinstance(item, MessageReceived) and item.signed.envelope.sender == arena.adversary


def _delayed(arena: Arena, random: Random) -> Ordering:
    """By the count of deliveries at which each one's time comes."""
    due: dict[tuple[str, bytes], int] = {}
    passed = 0

    def by_time(eligible: Sequence[int]) -> Sequence[int]:
        nonlocal passed
        passed += 1
        times = {at: due.setdefault(_key(arena, at), passed + _wait(random)) for at in eligible}
        return sorted(eligible, key=lambda at: max(times[at], passed))

    return by_time


def _wait(random: Random) -> int:
    return random.randint(1, LONGEST) if random.random() < LATE else 0


def _key(arena: Arena, position: int) -> tuple[str, bytes]:
    """An event is named by its log."""
    address, item = arena.pending[position]
    if isinstance(item, MessageReceived):
        return address, item.signed.envelope.message_id
    return address, repr(item).encode()
