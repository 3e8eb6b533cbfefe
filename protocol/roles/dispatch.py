"""The one entry from the runtime: bytes in, bytes and effects out, so a step can run in another process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from eth_hash.auto import keccak
from pydantic import Field

from protocol.codec import pack, unpack
from protocol.errors import ProtocolViolation, TrainingFailure
from protocol.roles.aggregator import role as federated_aggregator
from protocol.roles.buyer import role as model_buyer
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect, ReportViolation, StoreBlob
from protocol.roles.engine.inputs import Input, MessageReceived, input_identity, input_name
from protocol.roles.engine.machine import Machine, Observer, no_observer
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import PhaseState, references
from protocol.roles.owner import role as data_owner
from protocol.types import FrozenModel

MAXIMUM_HELD = 1024
"""Early inputs kept per training: enough for every seat's few messages, too few to fill a disk."""
MAXIMUM_HELD_OF_ONE = 64
"""Early messages kept of one sender, so that none can crowd out the others'."""


class RoleModule(Protocol):
    """What a role's module `role` offers."""

    @property
    def MACHINE(self) -> Machine[Any]:  # noqa: N802
        """The state machine."""
        ...

    @property
    def FINAL(self) -> frozenset[str]:  # noqa: N802
        """The phases in which nothing but late questions can come."""
        ...

    def initial(self, item: Input, context: Context, /) -> Step[Any]:
        """The state that a first input starts; raises ProtocolViolation for one that starts nothing."""
        ...

    def display_status(self, state: Any, /) -> str:
        """The state as people see it."""
        ...


ROLES: Mapping[str, RoleModule] = {
    "model_buyer": model_buyer,
    "data_owner": data_owner,
    "federated_aggregator": federated_aggregator,
}


@dataclass(frozen=True, slots=True)
class EncodedStep:
    """What the runtime writes in one transaction.

    `references` are the blobs that the new state still needs, `display_status` the state as people see it
    (one of WAITING, READY, INITIATED, IN_PROGRESS, FINISHED, DECLINED, FAILED(code)), `training` the
    contract's id once known, `finished` whether nothing but late questions can come.
    """

    state: bytes
    effects: tuple[Effect, ...]
    references: frozenset[bytes]
    display_status: str
    training: int | None
    finished: bool


class _HeldInput(FrozenModel):
    item: Input


class _Instance(FrozenModel):
    """What is stored of one training: the packed state and the packed early inputs."""

    state: bytes
    held: Annotated[tuple[bytes, ...], Field(max_length=MAXIMUM_HELD)] = ()


def decode_state(role: str, content: bytes) -> PhaseState:
    """The state inside stored bytes, for tests and for tools that show it."""
    state: PhaseState = ROLES[role].MACHINE.read(unpack(_Instance, content).state)
    return state


def held_inputs(content: bytes) -> tuple[Input, ...]:
    """The early inputs inside stored bytes; raises ProtocolViolation for what cannot be read."""
    return _held(unpack(_Instance, content))


def inputs_of(role: str) -> frozenset[str]:
    """The names of all inputs that some phase of the role allows (see `input_name`)."""
    return frozenset(row.input for row in ROLES[role].MACHINE.rows)


def run_step(
    role: str, state: bytes | None, item: Input, context: Context, observe: Observer = no_observer
) -> EncodedStep:
    """Run one input, then every held input that the change made timely; `observe` is told of each.

    `state` is None for the first input of a training. A peer's fault comes out as a ReportViolation effect
    with the state unchanged; our own bugs raise.
    Raises ProtocolViolation for a first input that starts nothing.
    """
    module = ROLES[role]
    if state is None:
        first, held = module.initial(item, context), []
    else:
        instance = unpack(_Instance, state)
        first, held = Step(module.MACHINE.read(instance.state)), list(_held(instance))
    attempts = _Attempts(module.MACHINE, context, observe, first.state, first.effects)
    if not attempts.offer(item):
        attempts.hold(held, item)
    if attempts.progressed:
        held = attempts.offer_held(held)
    return EncodedStep(
        state=pack(_Instance(state=pack(attempts.state), held=tuple(pack(_HeldInput(item=i)) for i in held))),
        effects=attempts.effects,
        references=frozenset(references(attempts.state)),
        display_status=module.display_status(attempts.state),
        training=attempts.state.training,
        finished=attempts.state.phase in module.FINAL,
    )


@dataclass
class _Attempts:
    """A step in the making: the state as it is after the inputs offered so far, and all their effects."""

    machine: Machine[Any]
    context: Context
    observe: Observer
    state: PhaseState
    effects: tuple[Effect, ...]
    progressed: bool = False

    def offer(self, item: Input) -> bool:
        """Have one input handled, or refused; False where it is early."""
        try:
            step = self.machine.step(self.state, item, self._context_of(item), self.observe)
        except EarlyInput:
            return False
        except (ProtocolViolation, TrainingFailure) as error:
            accused = item.signed.envelope.sender if isinstance(item, MessageReceived) else None
            detail = error.detail if isinstance(error, ProtocolViolation) else ""
            step = Step.unchanged(
                self.state, ReportViolation(code=error.code, detail=detail, accused=accused)
            )
        self.state = step.state
        self.effects += step.effects
        self.progressed = self.progressed or step.progressed
        return True

    def offer_held(self, held: list[Input]) -> list[Input]:
        """Offer early inputs again until a whole turn has made no progress; those that are still early."""
        while held and self.progressed:
            self.progressed = False
            held = [item for item in held if not self._offer_again(item)]
        return held

    def _offer_again(self, item: Input) -> bool:
        """As `offer`, but a bug of ours costs this input alone: the one that came now is not at fault for it.

        Held on to, it would be offered with every later input, and have each of them refused.
        """
        try:
            return self.offer(item)
        except Exception:  # noqa: BLE001
            digest = keccak(input_identity(item).encode()).hex()
            fact = facts.INPUT_REFUSED.of(input=input_name(item), code="internal_error", digest=digest)
            self.effects += (fact,)
            return True

    def hold(self, held: list[Input], item: Input) -> None:
        """Keep an early input, once, where there is room."""
        if item in held:
            return
        if _may_hold(held, item):
            held.append(item)
        else:
            self.effects += (facts.INPUT_DROPPED.of(input=input_name(item), held=len(held)),)

    def _context_of(self, item: Input) -> Context:
        """With chance of the input's own, and the blobs that this step has stored so far.

        Two inputs handled in one step must not draw the same randomness: see `input_identity`.
        """
        stored = {e.digest: e.content for e in self.effects if isinstance(e, StoreBlob)}
        return replace(
            self.context,
            seed=self.context.randomness(f"input:{input_identity(item)}").bytes(32),
            blobs={**self.context.blobs, **stored},
        )


def _held(instance: _Instance) -> tuple[Input, ...]:
    return tuple(unpack(_HeldInput, entry).item for entry in instance.held)


def _may_hold(held: list[Input], item: Input) -> bool:
    if len(held) >= MAXIMUM_HELD:
        return False
    if not isinstance(item, MessageReceived):
        return True
    sender = item.signed.envelope.sender
    senders = [other.signed.envelope.sender for other in held if isinstance(other, MessageReceived)]
    return senders.count(sender) < MAXIMUM_HELD_OF_ONE
