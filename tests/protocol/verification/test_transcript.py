"""A transcript as a file: no byte of it can differ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.signatures import address_of
from protocol.verification.transcript import Entry, Header, Transcript, from_bytes, to_bytes

KEY = b"\x05" * 32
HEADER = Header(chain_id=1, contract="0x" + "11" * 20, training=7, role="model_buyer", party=address_of(KEY))
ENTRIES = [Entry(kind="sent", content=b"one"), Entry(kind="event", content=b"two")]
CONTENT = to_bytes(Transcript.sealed(HEADER, ENTRIES, KEY))


def require(content: bytes) -> None:
    from_bytes(content).require_unaltered()


def test_what_is_written_is_read_again():
    require(CONTENT)
    assert [one.entry for one in from_bytes(CONTENT).entries] == ENTRIES


@settings(max_examples=150)
@given(place=st.integers(0, len(CONTENT) - 1), flipped=st.integers(1, 255))
def test_no_byte_can_be_altered(place, flipped):
    with pytest.raises(ProtocolViolation):
        require(CONTENT[:place] + bytes([CONTENT[place] ^ flipped]) + CONTENT[place + 1 :])


@settings(max_examples=50)
@given(start=st.integers(0, len(CONTENT) - 1), length=st.integers(1, 40))
def test_nothing_can_be_cut_out(start, length):
    with pytest.raises(ProtocolViolation):
        require(CONTENT[:start] + CONTENT[start + length :])


def test_entries_cannot_be_moved_or_added():
    whole = from_bytes(CONTENT)
    first, second = whole.entries
    for entries in ((second, first), (first, second, second), (second,), ()):
        with pytest.raises(ProtocolViolation):
            whole.model_copy(update={"entries": entries}).require_unaltered()
