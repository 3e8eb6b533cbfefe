"""The one entry from the runtime: bytes in, bytes and effects out, so a step can run in another process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from eth_hash.auto import keccak
from pydantic import Field

from protocol.codec import pack, unpack
from protocol.errors import ProtocolViolation, TrainingFailure
from protocol.roles.aggregator import role as federated_aggregator
from protocol.roles.buyer import role as model_buyer
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect, RecordFact, ReportViolation, StoreBlob
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.machine import EarlyInput, Machine, input_name, references
from protocol.roles.owner import role as data_owner
from protocol.types import FrozenModel

MAXIMUM_HELD = 1024
"""Early inputs kept per training: enough for every seat's few messages, too few to fill a disk."""
MAXIMUM_HELD_OF_ONE = 64
"""Early messages kept of one sender, so that none can crowd out the others'."""

ROLES: Mapping[str, Any] = {
    "model_buyer": model_buyer,
    "data_owner": data_owner,
    "federated_aggregator": federated_aggregator,
}


@dataclass(frozen=True, slots=True)
class EncodedStep:
    """What the runtime writes in one transaction.

    `references` are the blobs that the new state still needs, `shown` the state as people see it (one of
    WAITING, READY, INITIATED, IN_PROGRESS, FINISHED, DECLINED, FAILED(code)), `training` the contract's id
    once known, `finished` whether nothing but late questions can come.
    """

    state: bytes
    effects: tuple[Effect, ...]
    references: frozenset[bytes]
    shown: str
    training: int | None
    finished: bool


class _Instance(FrozenModel):
    state: bytes
    held: Annotated[tuple[bytes, ...], Field(max_length=MAXIMUM_HELD)] = ()


def decode_state(role: str, content: bytes) -> FrozenModel:
    """The state inside stored bytes, for tests and for tools that show it."""
    instance = unpack(_Instance, content)
    return unpack(ROLES[role].STATE, instance.state)  # type: ignore[no-any-return]


def held_inputs(content: bytes) -> tuple[Input, ...]:
    """The early inputs inside stored bytes; raises ProtocolViolation for what cannot be read."""
    return tuple(unpack(_HeldInput, entry).item for entry in unpack(_Instance, content).held)


def inputs_of(role: str) -> frozenset[str]:
    """The names of all inputs that some phase of the role allows (see `machine.input_name`)."""
    table: Mapping[str, Mapping[str, Any]] = ROLES[role].MACHINE.table
    return frozenset(name for allowed in table.values() for name in allowed)


def run_step(role: str, state: bytes | None, item: Input, context: Context) -> EncodedStep:
    """Run one input, then every held input that the change made timely.

    `state` is None for the first input of a training. A peer's fault comes out as a ReportViolation effect
    with the state unchanged; our own bugs raise.
    Raises ProtocolViolation for a first input that starts nothing.
    """
    module = ROLES[role]
    instance = None if state is None else unpack(_Instance, state)
    first: Step[Any] = module.initial(item, context) if instance is None else Step(None)
    current = first.state if instance is None else unpack(module.STATE, instance.state)
    held = [] if instance is None else [unpack(_HeldInput, entry).item for entry in instance.held]
    current, effects, progressed, early = _attempt(module.MACHINE, current, item, context)
    if early and item not in held:
        if _may_hold(held, item):
            held.append(item)
        else:
            effects = (RecordFact(name="input_dropped", data={"input": input_name(item), "held": len(held)}),)
    while progressed and held:
        progressed = False
        for waiting in list(held):
            visible = _with_new_blobs(context, effects)
            current, more, moved, still_early = _attempt(module.MACHINE, current, waiting, visible)
            if not still_early:
                held.remove(waiting)
                effects += more
                progressed = progressed or moved
    return EncodedStep(
        state=pack(_Instance(state=pack(current), held=tuple(pack(_HeldInput(item=one)) for one in held))),
        effects=first.effects + effects,
        references=frozenset(references(current)),
        shown=module.display_status(current),
        training=current.training,
        finished=current.phase in module.FINAL,
    )


class _HeldInput(FrozenModel):
    item: Input


def _may_hold(held: list[Any], item: Input) -> bool:
    if len(held) >= MAXIMUM_HELD:
        return False
    if not isinstance(item, MessageReceived):
        return True
    sender = item.signed.envelope.sender
    senders = [one.signed.envelope.sender for one in held if isinstance(one, MessageReceived)]
    return senders.count(sender) < MAXIMUM_HELD_OF_ONE


def _attempt(
    machine: Machine[Any], state: Any, item: Input, context: Context
) -> tuple[Any, tuple[Effect, ...], bool, bool]:
    """(state, effects, whether the state changed, whether the input is early)."""
    try:
        step: Step[Any] = machine.step(state, item, _own_stream(context, item))
    except EarlyInput:
        return state, (), False, True
    except (ProtocolViolation, TrainingFailure) as error:
        accused = item.signed.envelope.sender if isinstance(item, MessageReceived) else None
        detail = getattr(error, "detail", "")
        return state, (ReportViolation(code=error.code, detail=detail, accused=accused),), False, False
    return step.state, step.effects, step.state is not state, False


def _own_stream(context: Context, item: Input) -> Context:
    """Two inputs handled in one step must not draw the same randomness."""
    label = keccak(pack(_HeldInput(item=item))).hex()
    return replace(context, seed=context.randomness(f"input:{label}").bytes(32))


def _with_new_blobs(context: Context, effects: tuple[Effect, ...]) -> Context:
    fresh = {effect.digest: effect.content for effect in effects if isinstance(effect, StoreBlob)}
    return replace(context, blobs={**context.blobs, **fresh}) if fresh else context
