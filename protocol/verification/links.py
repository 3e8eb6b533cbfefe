"""The digests that chain a transcript's entries, in a party's store as in a file."""

from collections.abc import Iterable, Iterator

from protocol.errors import ProtocolViolation
from protocol.types import digest_of

DOMAIN = b"deltaml transcript"

FIRST = digest_of(DOMAIN)
"""What the first entry is linked to: a store keeps entries before the contract has numbered the training."""


def link(before: bytes, entry: bytes) -> bytes:
    """The digest of everything up to a packed entry, given that up to the one before."""
    return digest_of(DOMAIN, before, entry)


def links(entries: Iterable[bytes], before: bytes = FIRST) -> Iterator[bytes]:
    """That of each entry in turn."""
    for entry in entries:
        before = link(before, entry)
        yield before


def require_links(linked: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Check entries with the link that each was stored under, oldest first; the last link.

    Raises ProtocolViolation("broken_link"), which names the first entry, from 1, that was altered, or stands
    where another was left out, added or moved.
    """
    before = FIRST
    for number, (entry, given) in enumerate(linked, 1):
        before = link(before, entry)
        if before != given:
            raise ProtocolViolation("broken_link", f"entry {number} is not what the party linked")
    return before
