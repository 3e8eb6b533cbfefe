"""The chain of entries: whoever alters one has to write every later link anew."""

import pytest

from protocol.errors import ProtocolViolation
from protocol.verification.links import FIRST, link, links, require_links

ENTRIES = [b"one", b"two", b"three"]
LINKED = list(zip(ENTRIES, links(ENTRIES), strict=True))


def test_a_chain_that_is_continued_is_the_chain_of_all():
    assert list(links(ENTRIES[2:], before=LINKED[1][1])) == [LINKED[2][1]]
    assert require_links(LINKED) == LINKED[-1][1]
    assert require_links([]) == FIRST


@pytest.mark.parametrize(
    ("altered", "first"),
    [
        ([(b"One", LINKED[0][1]), *LINKED[1:]], 1),
        ([LINKED[0], (b"tw", LINKED[1][1]), LINKED[2]], 2),
        ([LINKED[0], LINKED[2]], 2),
        ([LINKED[1], LINKED[0], LINKED[2]], 1),
        ([LINKED[0], LINKED[0], *LINKED[1:]], 2),
        ([LINKED[0], (b"other", link(LINKED[0][1], b"other")), LINKED[2]], 3),
    ],
)
def test_the_first_entry_that_is_not_as_it_was_linked_is_named(altered, first):
    with pytest.raises(ProtocolViolation, match=f"entry {first} "):
        require_links(altered)
