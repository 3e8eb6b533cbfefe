"""A box that one key alone opens, and that says nothing else of what is in it than its length."""

import pytest

from protocol.crypto.own_box import open_own, seal_own
from protocol.errors import ProtocolViolation

KEY, OTHER = b"\x05" * 32, b"\x06" * 32
CONTENT = b"masks of a request"


def test_what_is_sealed_is_opened_by_the_same_key():
    box = seal_own(KEY, CONTENT)
    assert open_own(KEY, box) == CONTENT
    assert seal_own(KEY, CONTENT) == box
    assert len(box) == len(CONTENT) + 40
    assert CONTENT not in box


def test_contents_do_not_share_a_nonce():
    assert len({seal_own(KEY, bytes([one]))[:24] for one in range(50)}) == 50


def test_another_key_or_any_other_byte_opens_nothing():
    box = seal_own(KEY, CONTENT)
    altered = [box[:place] + bytes([box[place] ^ 1]) + box[place + 1 :] for place in range(len(box))]
    for key, one in [(OTHER, box), (KEY, box[:-1]), (KEY, b""), *((KEY, one) for one in altered)]:
        with pytest.raises(ProtocolViolation, match="not_opened"):
            open_own(key, one)
