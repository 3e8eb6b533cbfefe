"""How a role works: a state machine given by a table, stepped by its daemon, pure from end to end.

Theory of operation
-------------------
A role takes part in a training as a machine: `transition(state, input, context) → Step(state, effects)`.

- The *state* has a type of its own for each phase (`state`), so that what a phase does not know is not there
  to be asked for. `enter` goes to another phase, `replace` changes fields within one.
- An *input* is a message, a contract event at confirmed depth, a timer, a refused call, or a change of the
  party's own data sets or policy (`inputs`).
- *Effects* are values (`effects`): send this, call that, set a timer, note a fact. The runtime writes them
  into its outbox in the transaction that stores the new state, and carries them out afterwards, again after
  a crash. Facts, timers and private values have registered names (`facts`, `timers`, `private`).
- The *context* holds all else that a transition may know: the time, the party's secrets, a seed for chance
  (`context`). Nothing here reads a clock, draws chance or waits.

The *table* (`table`) is data: rows of phases, input, handler, next phases, effects and a sentence why. A
handler gets the state in its phase's type and the input in its own. The diagrams in protocol/README.md are
made of the table, and a test's observer holds every transition that is taken against it.

Phases are in the order in which they are lived through. An input that only a later phase allows is *early*:
messages of different senders overtake each other, and a node may be behind. It is held and offered again
after every step that progressed. An input that neither this phase nor a later one allows is noted and changes
nothing. A handler can refuse its input in three ways (`refusals`); no refusal changes the state.

`protocol.roles.dispatch` is the entry: it decodes, steps, offers what is held, encodes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from protocol.codec import decoded, pack_around, validated
from protocol.errors import ProtocolViolation
from protocol.request import Request
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Input, input_name
from protocol.roles.engine.made_states import MadeStates, PackedOnce
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import PhaseState, phase_of
from protocol.roles.engine.table import Row
from protocol.types import FrozenModel

S = TypeVar("S", bound=PhaseState)
_MOST_STATES, _MOST_BYTES = 32, 2**22
"""Of the states that a process has packed it knows so many again: a few trainings' worth."""

Observer = Callable[[Row, PhaseState, Step[PhaseState]], None]
"""Is told of every transition that a row made: the row, the state before, the step."""


def no_observer(_row: Row, _before: PhaseState, _step: Step[PhaseState]) -> None:
    """Look away."""


@dataclass(frozen=True)
class Machine(Generic[S]):
    """A role: the types of its states, in the order of their phases, and its transition table."""

    role: str
    states: tuple[type[S], ...]
    rows: tuple[Row, ...]

    @cached_property
    def kinds(self) -> Mapping[str, type[S]]:
        """The state type of each phase."""
        return {phase_of(kind): kind for kind in self.states}

    @cached_property
    def phases(self) -> tuple[str, ...]:
        """The phases in the order they are lived through."""
        return tuple(self.kinds)

    @cached_property
    def table(self) -> Mapping[str, Mapping[str, Row]]:
        """The row of each phase and input."""
        return {phase: {row.input: row for row in self.rows if phase in row.phases} for phase in self.phases}

    @cached_property
    def _made(self) -> MadeStates[S]:
        return MadeStates(_MOST_STATES, _MOST_BYTES)

    @cached_property
    def _requests(self) -> PackedOnce:
        return PackedOnce(_MOST_STATES)

    def read(self, content: bytes) -> S:
        """A packed state in its phase's type, without fields that the phase does not have.

        Raises ProtocolViolation("malformed").
        """
        made = self._made.find(content)
        if made is not None:
            return made
        plain = decoded(content)
        phase = validated(_Phase, plain, newer=True).phase
        if phase not in self.kinds:
            raise ProtocolViolation("malformed", "phase: unknown")
        state: S = validated(self.kinds[phase], plain, newer=True)
        return state

    def write(self, state: S) -> bytes:
        """The packed state; `read` knows it again while it is among the last that were packed here."""
        # Each state of a training holds the same request, which is as long as all else in most of them.
        request = getattr(state, "request", None)
        packed = {"request": self._requests.of(request)} if isinstance(request, Request) else {}
        content = pack_around(state, packed)
        self._made.keep(content, state)
        return content

    def step(self, state: S, item: Input, context: Context, observe: Observer = no_observer) -> Step[S]:
        """One transition.

        Raises EarlyInput for an input that belongs to a later phase, ProtocolViolation for a peer's fault; an
        input of an earlier phase, or of none, changes nothing and is noted.
        """
        name = input_name(item)
        row = self.table[state.phase].get(name)
        if row is None:
            later = self.phases[self.phases.index(state.phase) + 1 :]
            if any(name in self.table[phase] for phase in later):
                raise EarlyInput
            return Step.unchanged(state, facts.INPUT_IGNORED.of(phase=state.phase, input=name))
        try:
            step: Step[S] = row.handler(state, row.content(item), context)
        except StaleInput:
            return Step.unchanged(state, facts.INPUT_LATE.of(phase=state.phase, input=name))
        observe(row, state, step)
        return step


class _Phase(FrozenModel):
    phase: str
