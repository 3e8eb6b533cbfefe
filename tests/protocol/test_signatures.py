"""Signatures against eth_account, and every second form of one refused."""

from contextlib import suppress

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.signatures import address_of, personal_digest, recover_address, sign_digest

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEYS = st.integers(1, ORDER - 1).map(lambda k: k.to_bytes(32, "big"))
KEY = b"\x07" * 32


@settings(max_examples=30)
@given(KEYS, st.binary(max_size=200))
def test_signatures_are_those_of_ethereum(signing_key: bytes, content: bytes) -> None:
    theirs = Account.sign_message(encode_defunct(content), signing_key)
    digest = personal_digest(content)
    assert digest == theirs.message_hash
    assert sign_digest(signing_key, digest) == bytes(theirs.signature)
    assert address_of(signing_key) == Account.from_key(signing_key).address.lower()
    assert recover_address(digest, bytes(theirs.signature)) == address_of(signing_key)


@given(st.integers(0, 64), st.integers(1, 255))
def test_a_changed_signature_is_not_the_signer_s(place: int, change: int) -> None:
    digest = keccak(b"content")
    signature = bytearray(sign_digest(KEY, digest))
    signature[place] ^= change
    with suppress(ProtocolViolation):
        assert recover_address(digest, bytes(signature)) != address_of(KEY)


def test_another_digest_gives_another_signer() -> None:
    assert recover_address(keccak(b"b"), sign_digest(KEY, keccak(b"a"))) != address_of(KEY)


def test_the_high_twin_is_refused() -> None:
    digest = keccak(b"content")
    signature = sign_digest(KEY, digest)
    s = int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - signature[64]])
    # The twin is as good to plain ECDSA: whoever accepted it would know one message under two digests.
    assert Account._recover_hash(digest, signature=twin).lower() == address_of(KEY)
    with pytest.raises(ProtocolViolation, match="s is not low"):
        recover_address(digest, twin)


def test_the_largest_low_s_is_not_refused_as_high() -> None:
    r = sign_digest(KEY, keccak(b"content"))[:32]
    for s, text in ((ORDER // 2, None), (ORDER // 2 + 1, "s is not low")):
        signature = r + s.to_bytes(32, "big") + b"\x1b"
        if text is None:
            assert recover_address(keccak(b"x"), signature).startswith("0x")
            continue
        with pytest.raises(ProtocolViolation, match=text):
            recover_address(keccak(b"x"), signature)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_another_v_is_refused(v: int) -> None:
    digest = keccak(b"content")
    with pytest.raises(ProtocolViolation, match="v = 27 or 28"):
        recover_address(digest, sign_digest(KEY, digest)[:64] + bytes([v]))


@pytest.mark.parametrize("length", [0, 64, 66])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(ProtocolViolation, match="65 bytes"):
        recover_address(keccak(b""), (b"\x1b" * 66)[:length])


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (ORDER + 5, 1), (2**256 - 1, 1), (0, 0), (5, 1)]
)
def test_numbers_outside_the_curve_give_no_signer(r: int, s: int) -> None:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\x1b"
    with pytest.raises(ProtocolViolation) as caught:
        recover_address(keccak(b"x"), signature)
    assert caught.value.code == "bad_signature"
