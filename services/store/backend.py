"""What differs from one database system to the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa

from services.common.errors import StoreInUse


class Backend(ABC):
    """A database system under a store."""

    engine: sa.Engine
    reader: sa.Engine
    """The same for statements outside transactions."""
    place: str
    """Where the store is, for people; never a password."""
    session: int = 0
    """Which of the sessions this is, where another process may write between one and the next."""
    begin_snapshot: ClassVar[tuple[str, ...]]
    """Statements that begin, on a reader's connection, a transaction whose reads all see one moment."""

    @abstractmethod
    def exclusive(self, connection: sa.Connection) -> AbstractContextManager[None]:
        """Inside a transaction: no other process works on the store meanwhile; raises StoreInUse."""

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection whose statements each see what is committed."""
        with self.reader.connect() as connection:
            yield connection

    def read(self, query: sa.Executable, values: Mapping[str, Any]) -> Sequence[Any]:
        """All rows of a query outside any transaction; `values` are of its parameters."""
        with self.reading() as connection:
            return connection.execute(query, values).all()

    def read_first(self, query: sa.Executable, values: Mapping[str, Any]) -> Any | None:
        """The first row of a query outside any transaction, or None."""
        with self.reading() as connection:
            return connection.execute(query, values).first()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction: all of the block or nothing."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self, connection: sa.Connection) -> Iterator[None]:
        """Have all reads on a reader's connection see one moment."""
        for statement in self.begin_snapshot:
            connection.exec_driver_sql(statement)
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
