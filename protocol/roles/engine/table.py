"""A role's transition table as data: from it come the machine, the diagrams of protocol/README.md and a test.

A row says in which phases an input is allowed, who handles it, to which phases it may lead, which effects it
may have, and why. A handler takes the state type of those phases and the input in its own type; both are
checked by mypy where the row is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from protocol.bodies import body_of
from protocol.marketplace import ContractCall, MarketplaceEvent
from protocol.messages import Message
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.inputs import (
    TRAINING_GONE,
    CallRefused,
    CatalogueChanged,
    EventConfirmed,
    MessageReceived,
    PolicyChanged,
    Received,
    Refused,
    TimerFired,
)
from protocol.roles.engine.state import PhaseState, phase_of
from protocol.roles.engine.timers import Timer

P = TypeVar("P", bound=PhaseState)
C = TypeVar("C")
M = TypeVar("M", bound=Message)
E = TypeVar("E", bound=MarketplaceEvent)
K = TypeVar("K", bound=ContractCall)
A = TypeVar("A")
Change = TypeVar("Change", bound=CatalogueChanged | PolicyChanged)

Handler = Callable[[P, C, Context], Step[PhaseState]]
"""(state, content of the input, context) → step."""


class Stays:
    """Stands for the phase that the input was handled in."""


STAYS: Final = Stays()
Target = type[PhaseState] | Stays
Phases = type[P] | tuple[type[P], ...]
Targets = Target | tuple[Target, ...]
Effects = tuple[type[Effect], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One input in some phases.

    `content` takes the handler's argument out of the input. A handler that refuses the input (see `refusals`)
    leaves the state as it is and has no other effect than to say so, whatever the row says.
    """

    phases: tuple[str, ...]
    input: str
    handler: Callable[[Any, Any, Context], Step[Any]]
    content: Callable[[Any], Any]
    then: tuple[str | Stays, ...]
    effects: Effects
    why: str = ""

    def because(self, why: str) -> "Row":
        """The row with the reason for it, which every row of a table has."""
        return replace(self, why=why)

    def next_phases(self, phase: str) -> tuple[str, ...]:
        """Where the input may lead from one of the row's phases."""
        return tuple(phase if isinstance(other, Stays) else other for other in self.then)


def on_message(
    phases: Phases[P],
    kind: type[M],
    handler: Handler[P, Received[M]],
    *,
    then: Targets = STAYS,
    effects: Effects = (),
) -> Row:
    """A row for a message."""
    name = str(kind.model_fields["type"].default)
    return _row(phases, name, handler, _received, then, effects)


def on_event(
    phases: Phases[P], kind: type[E], handler: Handler[P, E], *, then: Targets = STAYS, effects: Effects = ()
) -> Row:
    """A row for a contract event at confirmed depth."""
    name = str(kind.model_fields["event"].default)
    return _row(phases, name, handler, _event, then, effects)


def on_timer(
    phases: Phases[P],
    timer: Timer[A],
    handler: Handler[P, A],
    *,
    then: Targets = STAYS,
    effects: Effects = (),
) -> Row:
    """A row for a timer; the handler gets what the timer is about."""

    def content(item: TimerFired) -> A:
        return timer.about(item.name)

    return _row(phases, f"timer:{timer.name}", handler, content, then, effects)


def on_refusal(
    phases: Phases[P],
    call: type[K],
    handler: Handler[P, Refused[K]],
    *,
    then: Targets = STAYS,
    effects: Effects = (),
) -> Row:
    """A row for a call that the contract refused for good."""
    name = f"refused:{call.model_fields['call'].default}"
    return _row(phases, name, handler, _refused, then, effects)


def on_training_gone(
    phases: Phases[P], handler: Handler[P, CallRefused], *, then: Targets = STAYS, effects: Effects = ()
) -> Row:
    """A row for any call that was refused because the training is not on the chain any more."""
    return _row(phases, TRAINING_GONE, handler, _itself, then, effects)


def on_change(
    phases: Phases[P],
    kind: type[Change],
    handler: Handler[P, Change],
    *,
    then: Targets = STAYS,
    effects: Effects = (),
) -> Row:
    """A row for a change of the party's own data sets or policy."""
    name = str(kind.model_fields["input"].default)
    return _row(phases, name, handler, _itself, then, effects)


def _row(
    phases: Phases[Any],
    name: str,
    handler: Handler[Any, Any],
    content: Callable[[Any], Any],
    then: Targets,
    effects: Effects,
) -> Row:
    kinds = phases if isinstance(phases, tuple) else (phases,)
    targets = then if isinstance(then, tuple) else (then,)
    return Row(
        phases=tuple(phase_of(kind) for kind in kinds),
        input=name,
        handler=handler,
        content=content,
        then=tuple(target if isinstance(target, Stays) else phase_of(target) for target in targets),
        effects=effects,
    )


def _received(item: MessageReceived) -> Received[Any]:
    return Received(item.signed, body_of(item.signed))


def _event(item: EventConfirmed) -> MarketplaceEvent:
    return item.chain_event.event


def _refused(item: CallRefused) -> Refused[Any]:
    return Refused(item.call, item.code)


def _itself(item: C) -> C:
    return item
