"""From a step's effects to what the store writes: messages signed and sealed, calls, timers, blobs, facts."""

from protocol.errors import ProtocolViolation
from protocol.messages import Invitation, Message
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import (
    CancelTimer,
    KeepResult,
    NoteFact,
    Remember,
    ReportViolation,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.inputs import Input, MessageReceived
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.signing import outgoing
from services.outbox import packed_call, packed_letter, packed_message
from services.store import StepWrites


class Courier:
    """Signs and seals a party's messages."""

    def __init__(self, identity: Identity, directory: Directory) -> None:
        """`directory` tells to which key to seal."""
        self._identity, self._directory = identity, directory

    async def message(
        self,
        recipient: str,
        body: Message,
        training: int,
        *,
        message_id: bytes,
        place: tuple[int, int] = (0, 0),
    ) -> tuple[str, bytes]:
        """The outbox entry of a message; `place` is (round, attempt).

        Raises ProtocolViolation("not_registered") for a recipient the chain does not know.
        """
        # Who is invited has not joined: the chain has no key of this training for it.
        joined = 0 if isinstance(body, Invitation) else training
        exchange_key = await self._directory.sealing_key_of(joined, recipient)
        role = await self._directory.role_of(recipient)
        message = outgoing(
            self._identity,
            (role, recipient),
            body,
            training,
            exchange_key=exchange_key,
            message_id=message_id,
            place=place,
        )
        return packed_message(message)


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
            case KeepResult() | Remember():
                _keep(effect, writes)
            case NoteFact():
                writes.facts.append((effect.name, effect.data))
            case ReportViolation():
                _report(effect, item, writes)
    return writes


async def _send(effect: SendMessage, training: int, writes: StepWrites, courier: Courier) -> None:
    place = (effect.round, effect.attempt)
    try:
        entry = await courier.message(
            effect.recipient, effect.body, training, message_id=effect.message_id, place=place
        )
    except ProtocolViolation as violation:
        data = {"recipient": effect.recipient, "type": effect.body.type, "code": violation.code}
        writes.facts.append(("undeliverable", data))
    else:
        writes.effects.append(entry)


def _keep(effect: KeepResult | Remember, writes: StepWrites) -> None:
    if isinstance(effect, KeepResult):
        writes.results[effect.name] = effect.content
    else:
        writes.values[effect.name] = effect.content


def _report(effect: ReportViolation, item: Input, writes: StepWrites) -> None:
    data = {"code": effect.code, "detail": effect.detail, "accused": effect.accused}
    writes.facts.append(("violation", data))
    if isinstance(item, MessageReceived):
        writes.effects.append(packed_letter(item.signed.envelope, effect.code, effect.detail))
