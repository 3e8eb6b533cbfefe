"""The one entry from the runtime: bytes in, bytes and effects out, so a step can run in another process."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Protocol

from eth_hash.auto import keccak
from pydantic import Field

from protocol.codec import pack, unpack
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation, TrainingFailure
from protocol.roles.aggregator import role as federated_aggregator
from protocol.roles.buyer import role as model_buyer
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.early import EarlyInputs, EarlyReference, HeldInput, Members, require_party
from protocol.roles.engine.effects import Effect, RecordFact, ReportViolation, StoreBlob
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, input_identity, input_name
from protocol.roles.engine.machine import Machine, Observer, no_observer
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import PhaseState, references
from protocol.roles.engine.worked_out import forget_work
from protocol.roles.owner import role as data_owner
from protocol.types import FrozenModel

_NOTES = frozenset((facts.INPUT_IGNORED.name, facts.INPUT_LATE.name))
"""Facts of an input that came to nothing."""


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

    def members(self, state: Any, context: Context, /) -> Members:
        """Who takes part, as far as the state knows."""
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
    contract's id once known, `finished` whether nothing but late questions can come. `taken` are the inputs
    that led to something, in their order, also those that had waited: none that waits, is refused or is late.
    """

    state: bytes = field(repr=False)
    effects: tuple[Effect, ...]
    references: frozenset[bytes]
    display_status: str
    training: int | None
    finished: bool
    taken: tuple[Input, ...] = field(default=(), repr=False)


class _Instance(FrozenModel):
    """What is stored of one training: the packed state and references to the early inputs.

    Earlier versions packed these into `held`, and had a second kind of rounds: `rounds` tells a training that
    was begun with those from others.
    """

    state: Annotated[bytes, Field(repr=False)]
    rounds: Literal["plain", "checked"] = "plain"
    held: Annotated[tuple[bytes, ...], Field(repr=False)] = ()
    early: tuple[EarlyReference, ...] = ()


def decode_state(role: str, content: bytes, roles: Mapping[str, RoleModule] | None = None) -> PhaseState:
    """The state inside stored bytes; `roles` are a test's own machines.

    Raises ProtocolViolation for what cannot be read, such as rounds of an earlier version that are under way.
    """
    instance = unpack(_Instance, content)
    state: PhaseState = (roles or ROLES)[role].MACHINE.read(instance.state)
    return state


def has_earlier_rounds(content: bytes) -> bool:
    """Whether an earlier version began the training in stored bytes with rounds that none can go on with.

    Raises ProtocolViolation for what cannot be read.
    """
    return unpack(_Instance, content).rounds == "plain"


def early_references(content: bytes) -> frozenset[bytes]:
    """The blobs of the early inputs in stored bytes; raises ProtocolViolation for what cannot be read."""
    instance = unpack(_Instance, content)
    for packed in instance.held:
        unpack(HeldInput, packed)
    return frozenset(references(instance.early))


def early_inputs(content: bytes, name: str, blobs: Mapping[bytes, bytes]) -> tuple[Input, ...]:
    """The early inputs of this name in stored bytes, which a step offers again when it has made progress.

    `blobs` holds at least what the state refers to. Raises ProtocolViolation for what cannot be read.
    """
    named = (one.blob.digest for one in unpack(_Instance, content).early if one.name == name)
    return tuple(unpack(HeldInput, blobs[digest]).item for digest in named)


def inputs_of(role: str) -> frozenset[str]:
    """The names of all inputs that some phase of the role allows (see `input_name`)."""
    return frozenset(row.input for row in ROLES[role].MACHINE.rows)


def run_step(
    role: str,
    state: bytes | None,
    item: Input,
    context: Context,
    observe: Observer = no_observer,
    roles: Mapping[str, RoleModule] | None = None,
) -> EncodedStep:
    """Run one input, then every held input that the change made timely; `observe` is told of each.

    `state` is None for the first input of a training; `roles` are a test's own machines. A peer's fault comes
    out as a ReportViolation effect with the state unchanged; our own bugs raise.
    Raises ProtocolViolation for a first input that starts nothing, and "other_rounds" for a training under
    way that an earlier version began with other rounds.
    """
    module = (roles or ROLES)[role]
    if state is None:
        first, early = module.initial(item, context), EarlyInputs((), {})
    else:
        instance = unpack(_Instance, state)
        first, early = Step(_state(module, instance)), _early(instance, context.blobs)
    attempts = _Attempts(module, context, observe, early, first.state, first.effects)
    if not attempts.offer(item):
        attempts.hold(item)
    attempts.offer_held()
    waiting = tuple(early.references)
    if finished := attempts.state.phase in module.FINAL:
        forget_work(context, attempts.state.training)
    return EncodedStep(
        state=pack(_Instance(state=module.MACHINE.write(attempts.state), rounds="checked", early=waiting)),
        effects=(*attempts.effects, *early.effects()),
        references=frozenset(references(attempts.state)) | frozenset(references(waiting)),
        display_status=module.display_status(attempts.state),
        training=attempts.state.training,
        finished=finished,
        taken=tuple(attempts.taken),
    )


@dataclass
class _Attempts:
    """A step in the making: the state as it is after the inputs offered so far, and all their effects."""

    module: RoleModule
    context: Context
    observe: Observer
    early: EarlyInputs
    state: PhaseState
    effects: tuple[Effect, ...]
    progressed: bool = False
    taken: list[Input] = field(default_factory=list)

    def offer(self, item: Input) -> bool:
        """Have one input handled, or refused; False where it is early."""
        try:
            step = self.module.MACHINE.step(self.state, item, self._context_of(item), self.observe)
        except EarlyInput:
            return False
        except (ProtocolViolation, TrainingFailure) as error:
            step = Step.unchanged(self.state, _report(error, item))
        self.state = step.state
        self.taken += [item] if _is_taken(step) else []
        self.effects += tuple(attributed(item, effect) for effect in step.effects)
        self.progressed = self.progressed or step.progressed
        return True

    def offer_held(self) -> None:
        """Offer early inputs again until a whole turn has made no progress; what is still early stays."""
        while self.early.references and self.progressed:
            self.progressed = False
            self.early.references = [
                waiting
                for waiting in self.early.references
                if not self._offer_again(self.early.load(waiting))
            ]

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

    def hold(self, item: Input) -> None:
        """Keep an early input, once, where its sender may have one kept and there is room."""
        members = self.module.members(self.state, self.context)
        try:
            party = require_party(members, self.context.address, item)
        except ProtocolViolation as violation:
            self.effects += (attributed(item, _report(violation, item)),)
            return
        for dropped in self.early.hold(item, input_name(item), party=party):
            held = len(self.early.references)
            self.effects += (facts.INPUT_DROPPED.of(input=dropped.name, held=held),)

    def _context_of(self, item: Input) -> Context:
        """With chance of the input's own, and the blobs that this step has stored so far.

        Two inputs handled in one step must not draw the same randomness: see `input_identity`. One that came
        too early, and drew nothing that is kept, is handled again with the same.
        """
        stored = {e.digest: e.content for e in self.effects if isinstance(e, StoreBlob)}
        return replace(
            self.context,
            seed=Randomness(self.context.seed).child(f"input:{input_identity(item)}").bytes(32),
            blobs={**self.context.blobs, **stored},
            block_time=float(item.chain_event.timestamp) if isinstance(item, EventConfirmed) else None,
        )


def _state(module: RoleModule, instance: _Instance) -> PhaseState:
    """The state to go on from: what is over answers late questions, whatever its rounds were."""
    state: PhaseState = module.MACHINE.read(instance.state)
    if instance.rounds == "plain" and state.phase not in module.FINAL:
        raise ProtocolViolation("other_rounds", "an earlier version began it: that one can end it")
    return state


def _early(instance: _Instance, blobs: Mapping[bytes, bytes]) -> EarlyInputs:
    """What waits, with what an earlier version packed into the state: this step makes blobs of it."""
    early = EarlyInputs(instance.early, blobs)
    for packed in instance.held:
        item = unpack(HeldInput, packed).item
        early.hold(item, input_name(item))
    return early


def _report(error: ProtocolViolation | TrainingFailure, item: Input) -> ReportViolation:
    accused = item.signed.envelope.sender if isinstance(item, MessageReceived) else None
    detail = error.detail if isinstance(error, ProtocolViolation) else ""
    return ReportViolation(code=error.code, detail=detail, accused=accused)


def _is_taken(step: Step[PhaseState]) -> bool:
    """Whether an input was neither refused nor late, and something came of it."""
    led_to = [one for one in step.effects if not isinstance(one, RecordFact) or one.name not in _NOTES]
    is_refused = any(isinstance(effect, ReportViolation) for effect in led_to)
    return not is_refused and (step.progressed or bool(led_to))


def attributed(item: Input, effect: Effect) -> Effect:
    """A violation with the message that it is of: a step refuses also what has waited, whoever sent that."""
    if not isinstance(effect, ReportViolation) or not isinstance(item, MessageReceived):
        return effect
    return effect.model_copy(update={"envelope": item.signed.envelope})
