"""What a step asks for, as the store keeps it: messages signed and sealed, calls, timers, blobs, facts.

An outbox entry is written with the step that asks for it and carried out by the outbox relay.
"""

from typing import Any, assert_never

from pydantic import Field

from protocol.codec import pack
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import ContractCall
from protocol.messages import AdmissionAnswer, Invitation, Message
from protocol.records import Market
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
from protocol.roles.engine.inputs import TimerFired
from protocol.types import Code, FrozenModel
from protocol.verification.transcript import is_kept
from services.bus.port import Outgoing
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.signing import sealed, signed_message
from services.observability import tracing
from services.runtime.input_codec import queued
from services.store import StepWrites

OutboxEntry = tuple[str, bytes]
"""(kind, packed content) of an effect that leaves the daemon."""


class PendingMessage(FrozenModel):
    """A signed and sealed message on its way; resent, it is the same bytes."""

    recipient_role: str
    envelope: Envelope
    sealed: bytes = Field(repr=False)
    trace: str | None = None


class PendingCall(FrozenModel):
    """A contract call on its way."""

    call: ContractCall
    trace: str | None = None


class PendingLetter(FrozenModel):
    """A message that broke a rule after it had been taken off the queue, or that nobody takes.

    `undelivered` is the message in the second case: an administrator may send it after all.
    """

    envelope: Envelope
    code: Code
    detail: str
    undelivered: PendingMessage | None = None


def packed_message(message: Outgoing) -> OutboxEntry:
    """The effect that publishes a message."""
    pending = PendingMessage(
        recipient_role=message.recipient_role,
        envelope=message.envelope,
        sealed=message.sealed,
        trace=tracing.current(),
    )
    return "message", pack(pending)


def packed_call(call: ContractCall) -> OutboxEntry:
    """The effect that submits a call."""
    return "call", pack(PendingCall(call=call, trace=tracing.current()))


def packed_letter(envelope: Envelope, code: str, detail: str) -> OutboxEntry:
    """The effect that puts a message among the dead letters with the reason."""
    return "letter", pack(PendingLetter(envelope=envelope, code=code, detail=detail))


class MessageWriter:
    """Signs and seals a party's messages."""

    def __init__(self, identity: Identity, market: Market, directory: Directory) -> None:
        """`directory` tells to which key to seal; signatures count in `market`."""
        self._identity, self._market, self._directory = identity, market, directory

    async def message(
        self,
        recipient: str,
        body: Message,
        training: int,
        *,
        message_id: bytes,
        place: tuple[int, int] = (0, 0),
    ) -> tuple[OutboxEntry, SignedMessage]:
        """The outbox entry of a message, and what its recipient finds in it; `place` is (round, attempt).

        Raises ProtocolViolation: "not_registered" for a recipient the chain does not know, "wrong_route" for
        one whose role takes no such message, "unusable_exchange_key" for one that nothing can be sealed to.
        """
        role = await self._directory.role_of(recipient)
        if role not in {to for _, to in body.catalogue.routes}:
            raise ProtocolViolation("wrong_route", f"a {role} takes no {body.type}")
        # Who is invited or admitted has not joined: the chain has no key of this training for it.
        joined = 0 if isinstance(body, Invitation | AdmissionAnswer) else training
        exchange_key = await self._directory.sealing_key_of(joined, recipient)
        own, market = self._identity, self._market
        signed = signed_message(
            own, recipient, body, training, market=market, message_id=message_id, place=place
        )
        return packed_message(sealed(signed, role, exchange_key)), signed


async def writes_of(
    step: EncodedStep, writer: MessageWriter, known: frozenset[bytes] = frozenset()
) -> tuple[StepWrites, list[SignedMessage]]:
    """What one step writes, and of the messages in it those that a transcript keeps, unsealed.

    `known` are the blobs that were there before.
    """
    sent = list[SignedMessage]()
    writes = StepWrites(step.training, step.state, step.display_status, step.finished, step.references, known)
    for effect in step.effects:
        match effect:
            case SendMessage():
                sent += await _send(effect, step.training or 0, writes, writer)
            case SubmitCall(call=call, after=seconds) if seconds > 0:
                writes.delayed.append((seconds, packed_call(call)))
            case SubmitCall(call=call):
                writes.effects.append(packed_call(call))
            case SetTimer() | CancelTimer():
                _set_or_cancel(effect, writes)
            case StoreBlob(digest=digest, content=content):
                writes.blobs[digest] = content
            case KeepResult() | PutValue():
                _keep(effect, writes)
            case RecordFact(name=name, data=data):
                writes.facts.append((name, data))
            case ReportViolation():
                _report(effect, writes)
            case _:
                assert_never(effect)
    return writes, [one for one in sent if is_kept(one)]


async def _send(
    effect: SendMessage, training: int, writes: StepWrites, writer: MessageWriter
) -> tuple[SignedMessage, ...]:
    """The message that is sent, or none where none can be."""
    place = (effect.round, effect.attempt)
    try:
        entry, signed = await writer.message(
            effect.recipient, effect.body, training, message_id=effect.message_id, place=place
        )
    except ProtocolViolation as violation:
        writes.facts.append(undeliverable(effect.recipient, effect.body, violation))
        return ()
    writes.effects.append(entry)
    return (signed,)


def undeliverable(recipient: str, body: Message, violation: ProtocolViolation) -> tuple[str, dict[str, Any]]:
    """The fact that a message could not even be sealed."""
    return facts.UNDELIVERABLE.pair(recipient=recipient, type=body.type, code=violation.code)


def _set_or_cancel(effect: SetTimer | CancelTimer, writes: StepWrites) -> None:
    # A firing that waits behind this input is of the old wait: what it waited for has come.
    writes.withdrawn.add(queued(TimerFired(name=effect.name)))
    if isinstance(effect, SetTimer):
        writes.timers[effect.name] = effect.seconds
    else:
        writes.timers.pop(effect.name, None)
        writes.cancelled.add(effect.name)


def _keep(effect: KeepResult | PutValue, writes: StepWrites) -> None:
    if isinstance(effect, KeepResult):
        writes.results[effect.name] = effect.content
    else:
        writes.values[effect.name] = effect.content


def _report(effect: ReportViolation, writes: StepWrites) -> None:
    fact = facts.VIOLATION.pair(code=effect.code, detail=effect.detail, accused=effect.accused)
    writes.facts.append(fact)
    if effect.envelope is not None:
        writes.effects.append(packed_letter(effect.envelope, effect.code, effect.detail))
