"""What a daemon has last read or written of its trainings, so that a step need not read it again.

Only the process that a store is exclusive to may go by it, for as long as its connection lasts: nobody else
writes there meanwhile. What a transaction writes is remembered once it is committed, and forgotten where it
may not have been.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from cachetools import LRUCache

from services.store.rows import InstanceRow, StepWrites
from services.store.transcripts import End

MOST_BYTES = 2**24
"""Of one store: a step of a large model has more, and reads them each time."""
_OVERHEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one training; None is what was not looked for. `end` is that of its transcript."""

    row: InstanceRow | None = None
    blobs: dict[bytes, bytes] | None = field(default=None, repr=False)
    end: End | None = None

    @property
    def size(self) -> int:
        """About so many bytes of memory."""
        blobs = sum(map(len, (self.blobs or {}).values()))
        return _OVERHEAD_BYTES + blobs + (0 if self.row is None else len(self.row.state))

    def after(self, writes: StepWrites, now: float, end: End | None) -> "Known":
        """With what a step has written at this moment."""
        row = self.row and replace(
            self.row,
            training=writes.training,
            state=writes.state,
            display_status=writes.display_status,
            finished=writes.finished,
            updated_at=now,
        )
        return Known(row, _blobs_after(self.blobs, writes), end)


_NOTHING = Known()


def _blobs_after(blobs: dict[bytes, bytes] | None, writes: StepWrites) -> dict[bytes, bytes] | None:
    if blobs is None:
        return None
    gone, new = writes.known - writes.references, writes.references - writes.known
    kept = {digest: content for digest, content in blobs.items() if digest not in gone}
    return kept | {digest: content for digest, content in writes.blobs.items() if digest in new}


class Memory:
    """What is known of a store's trainings, by their keys; the last ones, as far as there is room."""

    def __init__(self, *, is_used: bool) -> None:
        """One that is not used knows nothing."""
        self._known: LRUCache[str, Known] = LRUCache(MOST_BYTES, getsizeof=lambda known: known.size)
        self._is_used = is_used

    def of(self, key: str) -> Known:
        """What is known of a training."""
        known: Known = self._known.get(key, _NOTHING)
        return known

    def learn(self, key: str, **parts: Any) -> None:
        """What was read of a training, by the names of the parts."""
        self.keep(key, replace(self.of(key), **parts))

    def keep(self, key: str, known: Known) -> None:
        """Know this of a training; what is larger than the whole memory is not kept."""
        if self._is_used and known.size <= MOST_BYTES:
            self._known[key] = known
        else:
            self.forget(key)

    def forget(self, key: str) -> None:
        """A training is about to change: what is known of it may be over."""
        self._known.pop(key, None)

    def take(self, key: str) -> Known:
        """What is known of a training, and forgotten until it is known what the database has committed."""
        known = self.of(key)
        self.forget(key)
        return known

    def forget_with_connections(self, engine: sa.Engine) -> None:
        """From now on know nothing whenever a connection is made.

        A lock may be lost with its session: another process may have written before the next one began.
        """
        sa.event.listen(engine, "connect", lambda *_made: self.forget_all())

    def forget_all(self) -> None:
        """Know nothing."""
        self._known.clear()
