"""What goes into the store and comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.hiding import without


class NewMessage(NamedTuple):
    """A message for the inbox: its id, whom it is for, its content and the content's 32-byte digest."""

    input_id: bytes
    key: str
    content: bytes
    digest: bytes

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "content")


@dataclass(frozen=True, slots=True)
class QueuedInput:
    """An input waiting for its instance, read in a session of the database (`Backend.session`)."""

    sequence: int
    key: str
    content: bytes = field(repr=False)
    session: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class QueuedEffect:
    """A message, a call or a dead letter waiting to be carried out."""

    sequence: int
    key: str
    kind: str
    content: bytes = field(repr=False)
    attempts: int
    unroutable_since: float | None = None
    added_at: float = 0.0


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One training as this role knows it."""

    key: str
    training: int | None
    state: bytes = field(repr=False)
    display_status: str
    finished: bool
    updated_at: float
    closed: str | None = None


@dataclass(slots=True)
class StepWrites:
    """Everything one step writes; `known` are the blobs that were there before it.

    `values` are the daemon's own; None forgets one. `withdrawn` are contents of inputs that count no more if
    they still wait. `delayed` are effects with the seconds that each waits first. `answer` is a fact about
    another key: (key, (name, data)). `transcript` are packed entries, appended to those that are kept.
    """

    training: int | None
    state: bytes = field(repr=False)
    display_status: str
    finished: bool
    references: frozenset[bytes]
    known: frozenset[bytes] = frozenset()
    effects: list[tuple[str, bytes]] = field(repr=False, default_factory=list)
    delayed: list[tuple[float, tuple[str, bytes]]] = field(repr=False, default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    withdrawn: set[bytes] = field(default_factory=set, repr=False)
    blobs: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict, repr=False)
    values: dict[str, bytes | None] = field(default_factory=dict, repr=False)
    answer: tuple[str, tuple[str, Mapping[str, Any]]] | None = None
    transcript: list[bytes] = field(default_factory=list, repr=False)
