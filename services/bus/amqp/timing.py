"""How long the bus over RabbitMQ waits, and how much it takes ahead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Bounds that tests shorten."""

    publish_seconds: float = 30.0
    """For the broker's confirmation of one message, or of the first of its chunks."""

    publish_attempts: int = 4

    quiet_seconds: float = 20.0
    """Without a delivery for so long, a new consumer takes the place of the old."""

    incomplete_seconds: float = 900.0
    """Silence after which incomplete messages are given up: more than a publisher may take for one message,
    less than the half hour after which the broker takes unacked messages back."""

    prefetch: int = 64
    """Messages that may be unacked; as many again whenever waiting chunks fill half of them."""
