"""From a step's effects to what the store writes: messages signed and sealed, calls, timers, blobs, facts."""

from typing import assert_never

from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine import facts
from protocol.roles.engine.effects import (
    CancelTimer,
    KeepResult,
    PutValue,
    RecordFact,
    ReportViolation,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.inputs import Input, MessageReceived
from services.runtime.message_writer import Courier
from services.runtime.outbox_relay import packed_call, packed_letter
from services.store import StepWrites


async def writes_of(
    step: EncodedStep, item: Input, courier: Courier, known: frozenset[bytes] = frozenset()
) -> StepWrites:
    """What one step writes; `item` is the input that caused it, `known` the blobs that were there before."""
    writes = StepWrites(step.training, step.state, step.shown, step.finished, step.references, known)
    for effect in step.effects:
        match effect:
            case SendMessage():
                await _send(effect, step.training or 0, writes, courier)
            case SubmitCall():
                writes.effects.append(packed_call(effect.call))
            case SetTimer():
                writes.timers[effect.name] = effect.seconds
            case CancelTimer():
                writes.timers.pop(effect.name, None)
                writes.cancelled.add(effect.name)
            case StoreBlob():
                writes.blobs[effect.digest] = effect.content
            case KeepResult() | PutValue():
                _keep(effect, writes)
            case RecordFact():
                writes.facts.append((effect.name, effect.data))
            case ReportViolation():
                _report(effect, item, writes)
            case _:
                assert_never(effect)
    return writes


async def _send(effect: SendMessage, training: int, writes: StepWrites, courier: Courier) -> None:
    place = (effect.round, effect.attempt)
    try:
        entry = await courier.message(
            effect.recipient, effect.body, training, message_id=effect.message_id, place=place
        )
    except ProtocolViolation as violation:
        fact = facts.UNDELIVERABLE.pair(
            recipient=effect.recipient, type=effect.body.type, code=violation.code
        )
        writes.facts.append(fact)
    else:
        writes.effects.append(entry)


def _keep(effect: KeepResult | PutValue, writes: StepWrites) -> None:
    if isinstance(effect, KeepResult):
        writes.results[effect.name] = effect.content
    else:
        writes.values[effect.name] = effect.content


def _report(effect: ReportViolation, item: Input, writes: StepWrites) -> None:
    fact = facts.VIOLATION.pair(code=effect.code, detail=effect.detail, accused=effect.accused)
    writes.facts.append(fact)
    if isinstance(item, MessageReceived):
        writes.effects.append(packed_letter(item.signed.envelope, effect.code, effect.detail))
