"""The states that this process has packed itself: what it made need not be checked when it is read back."""

from collections import OrderedDict
from typing import Generic, TypeVar

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
