"""Memory of what was asked for lately: a daemon runs for months, and each training brings new keys."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A mapping of bounded size; what was used longest ago makes room."""

    def __init__(self, maximum: int) -> None:
        """`maximum` entries are kept."""
        self._maximum = maximum
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value, or None where there is none or it had to make room."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._maximum:
            self._entries.popitem(last=False)
