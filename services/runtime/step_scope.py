"""What is logged and traced in an input's step names what it is about."""

import time
from contextlib import AbstractContextManager

from protocol.marketplace import training_of
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, input_name
from services.common.trace_context import split_context
from services.observability import tracing
from services.observability.logging import bound
from services.observability.tracer import Span
from services.runtime.role_adapter import NO_TRAINING, Role
from services.store import InstanceRow, QueuedInput, Store

_OF_INSTANCE = "trace:"


def log_scope(item: Input, row: InstanceRow | None) -> AbstractContextManager[None]:
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


def trace_scope(
    role: Role, party: str, queued_input: QueuedInput, item: Input, row: InstanceRow | None
) -> AbstractContextManager[Span]:
    """The span of an input's step, in the trace of the message that it is, or else of its training."""
    own, _ = split_context(queued_input.content)
    outside = queued_input.key == NO_TRAINING
    return tracing.span(
        f"step {input_name(item)}",
        parent=own if outside else _of_instance(role.store, queued_input.key, own),
        input=input_name(item),
        role=role.name,
        party=party,
        training=None if row is None else row.training,
        round=item.signed.envelope.round if isinstance(item, MessageReceived) else None,
    )


def _of_instance(store: Store, key: str, own: str | None) -> str | None:
    """The context for an input's step: its own, or for an event or a timer that of its instance's first.

    So everything of a training is in one trace, also after a restart.
    """
    if not tracing.is_on():
        return None
    name = f"{_OF_INSTANCE}{key}"
    known = store.values(name).get("")
    if own is None:
        return None if known is None else known.decode()
    if known is None:
        store.put_value(name, own.encode(), now=time.time())
    return own
