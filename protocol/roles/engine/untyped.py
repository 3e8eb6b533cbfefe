"""Roles whose states still have one type for all phases: a table phase → input → handler."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar, get_args

from protocol.bodies import body_of
from protocol.roles.engine import inputs
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, TimerFired
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.state import PhaseState
from protocol.roles.engine.table import Row

S = TypeVar("S", bound=PhaseState)
Handler = Callable[[Any, Any, Context], Step[Any]]
Received = inputs.Received[Any]
Table = Mapping[str, Mapping[str, Handler]]


class UntypedMachine(Machine[S]):
    """A machine of rows that say neither next phases nor effects."""

    @cached_property
    def kinds(self) -> Mapping[str, type[S]]:
        """The one type for each phase."""
        phases = get_args(self.states[0].model_fields["phase"].annotation)
        return {str(phase): self.states[0] for phase in phases}


def untyped_rows(table: Table) -> tuple[Row, ...]:
    """Rows that a test's observer passes over."""
    return tuple(
        Row((phase,), name, handler, _content, (), (), "")
        for phase, allowed in table.items()
        for name, handler in allowed.items()
    )


def _content(item: Input) -> Any:
    match item:
        case MessageReceived(signed=signed):
            return inputs.Received(signed, body_of(signed))
        case EventConfirmed(chain_event=chain_event):
            return chain_event.event
        case TimerFired(name=name):
            return name.partition(":")[2]
        case _:
            return item
