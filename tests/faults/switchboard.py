"""Switches and counters that a daemon's process and the tests share: a mapped file survives kill -9."""

import mmap
import struct
from pathlib import Path

POINTS = (
    "store_messages",
    "store_event",
    "ack",
    "step",
    "commit",
    "write_step",
    "publish",
    "effects_done",
    "submit",
    "broadcast",
    "save_cursor",
    "publish_event",
)
"""Places in a daemon's code; each is passed `before` and `after`, but for `commit`, inside a transaction."""

_NAMES = ("armed", "left", "fired", "clock", "clock_read", "disk", "disk_full", "slow", "slowed")
_PASSED = tuple(f"{when} {point}" for point in POINTS for when in ("before", "after"))
_PLACES = {name: index for index, name in enumerate((*_NAMES, *_PASSED))}
_NUMBER = struct.Struct("<q")


class Switchboard:
    """Named whole numbers in a file."""

    def __init__(self, path: Path) -> None:
        size = _NUMBER.size * len(_PLACES)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    def __getitem__(self, name: str) -> int:
        return int(_NUMBER.unpack_from(self._map, _NUMBER.size * _PLACES[name])[0])

    def __setitem__(self, name: str, value: int) -> None:
        _NUMBER.pack_into(self._map, _NUMBER.size * _PLACES[name], value)

    def arm(self, passed: str, times: int) -> None:
        """Have the process killed when it passes this place for the so-manieth time from now on."""
        self["left"], self["fired"] = times, 0
        self["armed"] = 1 + _PASSED.index(passed)

    def passes(self, passed: str) -> bool:
        """Count a place that is passed; whether it is the one to die at."""
        self[passed] += 1
        if self["armed"] != 1 + _PASSED.index(passed):
            return False
        self["left"] -= 1
        return self["left"] == 0

    def counts(self) -> dict[str, int]:
        """How often each place was passed."""
        return {name: self[name] for name in _PASSED}

    def reset(self) -> None:
        """Everything off and zero."""
        self._map[:] = bytes(len(self._map))
