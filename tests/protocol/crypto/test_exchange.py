"""X25519 keys that nothing can be agreed upon with."""

import pytest
from nacl.bindings import crypto_scalarmult_base

from protocol.crypto.exchange import agree, require_usable
from protocol.errors import ProtocolViolation

FIELD = (1 << 255) - 19
LOW_ORDER = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    FIELD - 1,
    FIELD,
    FIELD + 1,
)
"""Every encoding below 2^255 of a point whose order divides 8 (cr.yp.to/ecdh.html#validate)."""

SIGN_BIT = 1 << 255


def encoded(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.mark.parametrize("point", [*LOW_ORDER, *(point | SIGN_BIT for point in LOW_ORDER)], ids=hex)
def test_a_key_of_low_order_is_refused_in_every_encoding(point: int) -> None:
    with pytest.raises(ProtocolViolation, match="unusable_exchange_key"):
        require_usable(encoded(point))
    with pytest.raises(ProtocolViolation, match="unusable_exchange_key"):
        agree(b"s" * 32, encoded(point))


@pytest.mark.parametrize("point", [FIELD + 9, (1 << 255) - 1, 9 | SIGN_BIT], ids=hex)
def test_a_second_encoding_of_a_key_is_refused(point: int) -> None:
    with pytest.raises(ProtocolViolation, match="not canonical"):
        require_usable(encoded(point))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ProtocolViolation, match=f"{length} bytes"):
        require_usable(b"k" * length)


def test_two_parties_agree() -> None:
    mine, theirs = b"m" * 32, b"t" * 32
    shared = agree(mine, crypto_scalarmult_base(theirs))
    assert shared == agree(theirs, crypto_scalarmult_base(mine))
    require_usable(crypto_scalarmult_base(mine))
