"""What a party keeps of a training so that it can be verified: entries in order, among its results."""

from collections.abc import Sequence

import sqlalchemy as sa

from services.store.tables import results

_PREFIX = "transcript:"
_NAME = _PREFIX + "{:09d}"
_OF = (results.c.key == sa.bindparam("of"), results.c.name.startswith(_PREFIX))

ENTRIES = sa.select(results.c.content).where(*_OF).order_by(results.c.name)
"""The contents of an instance's entries, oldest first."""

_COUNT = sa.select(sa.func.count()).select_from(results).where(*_OF)


def add_entries(connection: sa.Connection, key: str, entries: Sequence[bytes]) -> None:
    """Append entries, in the transaction of the step that they are of: a redelivery appends nothing."""
    if not entries:
        return
    first = int(connection.execute(_COUNT, {"of": key}).scalar_one())
    rows = [
        {"key": key, "name": _NAME.format(first + place), "content": content}
        for place, content in enumerate(entries)
    ]
    connection.execute(results.insert(), rows)
