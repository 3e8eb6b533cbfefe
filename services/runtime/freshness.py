"""Messages outside all trainings have an age: their ids are forgotten, and must not count anew then."""

from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from services.store import SKEW_SECONDS


def require_fresh(envelope: Envelope, now: float, retention_seconds: float) -> None:
    """Raise ProtocolViolation unless the message was sent within the retention, by its sender's clock."""
    sent = envelope.sent_at / 1000
    if sent < now - retention_seconds:
        raise ProtocolViolation("too_old", f"sent {now - sent:.0f} s ago; at most {retention_seconds:.0f}")
    if sent > now + SKEW_SECONDS:
        raise ProtocolViolation("from_the_future", f"sent {sent - now:.0f} s from now: set the clocks right")
