"""What a tracer and its spans can do."""

from dataclasses import dataclass
from typing import Literal, Protocol

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


class Span(Protocol):
    """Something that takes time. `context` is its traceparent, None where nothing is traced."""

    @property
    def context(self) -> str | None:
        """What leads back to this span."""
        ...

    def describe(self, **attributes: Attribute | None) -> None:
        """Add what is known; None is left out. No secret, no text of a peer."""
        ...

    def fail(self, code: str) -> None:
        """Mark it as failed, by a code or the kind of an error: an error's text may hold secrets."""
        ...

    def end(self) -> None:
        """It is over."""
        ...


class Tracer(Protocol):
    """Makes spans and exports them."""

    def start(self, name: str, parent: str | None, kind: Kind) -> Span:
        """A span that runs from now on."""
        ...

    def close(self) -> None:
        """Export what is left, in bounded time."""
        ...
