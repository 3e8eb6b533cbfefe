"""What differs from one database system to the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from services.common.errors import StoreInUse


class Backend(ABC):
    """A database system under a store."""

    engine: sa.Engine
    place: str
    """Where the store is, for people; never a password."""

    @abstractmethod
    def reader(self) -> sa.Engine:
        """The engine for statements outside transactions."""

    @abstractmethod
    def exclusive(self, connection: sa.Connection) -> AbstractContextManager[None]:
        """Inside a transaction: no other process works on the store meanwhile; raises StoreInUse."""

    @abstractmethod
    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Begin a transaction, on a reader's connection, whose reads all see one moment."""

    @contextmanager
    def snapshot(self, connection: sa.Connection) -> Iterator[None]:
        """Have all reads on a reader's connection see one moment."""
        self.begin_snapshot(connection)
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")

    def close(self) -> None:
        """Release connections and locks."""
        self.engine.dispose()


def in_use(place: str) -> StoreInUse:
    """The error that tells of another process."""
    return StoreInUse(f"another process works on the store {place}: stop its daemon first")
