"""What this process has packed itself: it need be neither checked when it is read back, nor packed again."""

from collections import OrderedDict
from typing import Generic, TypeVar

from pydantic import BaseModel

from protocol.codec import pack

S = TypeVar("S")


class MadeStates(Generic[S]):
    """The last few states by their bytes; each is frozen, so whoever reads one has what was packed.

    Bytes that differ in one bit are not found, and are read and checked as anything that was stored.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        """At most `most` states are kept, and `most_bytes` of what they were packed to."""
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0
        self._states: OrderedDict[bytes, S] = OrderedDict()

    def keep(self, content: bytes, state: S) -> None:
        """Remember what `state` was packed to; the ones not used for longest are forgotten."""
        if content not in self._states:
            self._bytes += len(content)
        self._states[content] = state
        self._states.move_to_end(content)
        while len(self._states) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self._states.popitem(last=False)[0])

    def find(self, content: bytes) -> S | None:
        """The state that was packed to these bytes, if it is remembered."""
        if content in self._states:
            self._states.move_to_end(content)
        return self._states.get(content)


class PackedOnce:
    """The bytes of the last few frozen values that come again and again, such as a training's request."""

    def __init__(self, most: int) -> None:
        """At most `most` values are kept."""
        self._most = most
        self._packed: OrderedDict[int, tuple[BaseModel, bytes]] = OrderedDict()

    def of(self, value: BaseModel) -> bytes:
        """What `codec.pack` makes of a value; a value is known by being the same object, not an equal one."""
        # A value that is kept keeps its id: no other object can have it.
        if id(value) not in self._packed:
            self._packed[id(value)] = value, pack(value)
        self._packed.move_to_end(id(value))
        while len(self._packed) > self._most:
            self._packed.popitem(last=False)
        return self._packed[id(value)][1]
