"""What a party keeps of a training so that it can be verified: chained entries in order, among its results.

Each is stored behind the digest of all up to it, in the transaction of the step that it is of: who alters,
leaves out, adds or moves one afterwards breaks every later link, or has to write all of them anew. Messages
tell others the last link (`protocol.messages.values.KeptHead`), so that this shows as well.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from protocol.verification.links import FIRST, links
from services.store.prepared_writes import change, first_row
from services.store.tables import results

_PREFIX = "transcript:"
_NAME = _PREFIX + "{:09d}"
_LINK_BYTES = len(FIRST)
_OF = (results.c.key == sa.bindparam("of"), results.c.name.startswith(_PREFIX))

ENTRIES = sa.select(results.c.content).where(*_OF).order_by(results.c.name)
"""The contents of an instance's entries, oldest first: what `linked` reads."""

_LINK = sa.func.substr(results.c.content, 1, _LINK_BYTES, type_=sa.LargeBinary).label("link")
LAST = sa.select(results.c.name, _LINK).where(*_OF).order_by(results.c.name.desc()).limit(1)
"""The name and the link of an instance's last entry; what it holds may be megabytes, and stays unread."""

_NEW_ENTRY = results.insert()


class End(NamedTuple):
    """Where a transcript ends: the number of its next entry, and the link that this one is to follow."""

    number: int
    link: bytes


START = End(0, FIRST)
"""The end of a transcript without entries."""


def end_of(last: Any | None) -> End:
    """The end behind the last entry, a row of `LAST`; None where there is none."""
    return START if last is None else End(int(last.name.removeprefix(_PREFIX)) + 1, bytes(last.link))


def add_entries(connection: sa.Connection, key: str, entries: Sequence[bytes], end: End | None) -> End | None:
    """Append entries, in the transaction of the step that they are of: a redelivery appends nothing.

    `end` is the transcript's end where it is known; returns the new one, as far as it is known then.
    """
    if not entries:
        return end
    number, before = end or end_of(first_row(connection, LAST, {"of": key}))
    chain = list(links(entries, before))
    rows = [
        {"key": key, "name": _NAME.format(number + place), "content": link + entry}
        for place, (link, entry) in enumerate(zip(chain, entries, strict=True))
    ]
    change(connection, _NEW_ENTRY, rows)
    return End(number + len(rows), chain[-1])


def linked(content: bytes) -> tuple[bytes, bytes]:
    """An entry out of what is stored, and the link that it was stored under."""
    return content[_LINK_BYTES:], content[:_LINK_BYTES]
