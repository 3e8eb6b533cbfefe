"""A span, and what exporting spans may cost."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["internal", "producer", "consumer", "client"]
Attribute = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What exporting may cost a daemon; spans beyond `most_waiting` are dropped, the oldest first."""

    export_seconds: float = 5.0
    close_seconds: float = 3.0
    period_milliseconds: int = 2000
    most_waiting: int = 4096


DEFAULT_LIMITS = Limits()


class Span:
    """Something that takes time. This one, where nothing is traced, keeps nothing."""

    context: str | None = None
    """Its traceparent: what leads back to this span."""

    def describe(self, **attributes: Attribute | None) -> None:
        """Add what is known; None is left out. No secret, no text of a peer."""

    def fail(self, code: str) -> None:
        """Mark it as failed, by a code or the kind of an error: an error's text may hold secrets."""

    def end(self) -> None:
        """It is over."""
