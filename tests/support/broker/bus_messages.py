"""Messages for tests of a bus: an envelope and bytes that only look sealed, and contract events."""

import os
import time

from protocol.envelope import Envelope
from protocol.marketplace import Closed
from protocol.messages import ChainEvent
from services.bus.port import Outgoing


def outgoing(
    role: str,
    sender: str,
    recipient: str,
    message_type: str = "complaint",
    sealed: bytes = b"sealed",
    *,
    training: int = 1,
) -> Outgoing:
    """A message with a new id; by default one that every role may send to every other."""
    envelope = Envelope(
        message_id=os.urandom(16),
        type=message_type,
        training=training,
        round=3,
        attempt=1,
        sender=sender,
        recipient=recipient,
        sent_at=int(time.time() * 1000),
    )
    return Outgoing(role, envelope, sealed)


def chain_event(number: int) -> ChainEvent:
    """The number-th event of a chain that never was; its training has the same number."""
    return ChainEvent(
        event=Closed(training=number, draw_block=number + 1),
        chain_id=31337,
        block_number=number,
        block_hash=number.to_bytes(32, "big"),
        transaction_hash=bytes(32),
        log_index=number % 5,
        timestamp=1_700_000_000 + number,
    )
