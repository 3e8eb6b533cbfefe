"""What is logged and traced in an input's step names what it is about."""

from contextlib import AbstractContextManager

from protocol.marketplace import training_of
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.engine.machine import input_name
from services.common.trace_context import split_context
from services.observability import tracing
from services.observability.logging import bound
from services.observability.tracer import Span
from services.role import OUTSIDE, Role
from services.store import InstanceRow, QueuedInput


def named(item: Input, row: InstanceRow | None) -> AbstractContextManager[None]:
    """What is logged during an input's step names its training, round and message."""
    training = None if row is None else row.training
    match item:
        case MessageReceived():
            envelope = item.signed.envelope
            return bound(
                training=training or envelope.training,
                round_number=envelope.round,
                message_id=envelope.message_id,
            )
        case EventConfirmed():
            return bound(training=training or training_of(item.chain_event.event))
        case _:
            return bound(training=training)


def traced(
    role: Role, party: str, queued_input: QueuedInput, item: Input, row: InstanceRow | None
) -> AbstractContextManager[Span]:
    """The span of an input's step, in the trace of the message that it is, or else of its training."""
    own, _ = split_context(queued_input.content)
    outside = queued_input.key == OUTSIDE
    return tracing.span(
        f"step {input_name(item)}",
        parent=own if outside else tracing.of_instance(role.store, queued_input.key, own),
        input=input_name(item),
        role=role.name,
        party=party,
        training=None if row is None else row.training,
        round=item.signed.envelope.round if isinstance(item, MessageReceived) else None,
    )
