"""What an owner binds itself to, as the contract computes it, and apart for every place."""

import hashlib
import hmac
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from protocol.join_digests import checked_commitment, nonce_binding, nonce_digest, secret_nonce
from protocol.records import Market

MARKET = Market(chain_id=1337, contract="0x" + "11" * 20)
OWNER = "0x" + "ab" * 20
PLACE = {"market": MARKET, "training": 7, "owner": OWNER, "key_id": b"k" * 32, "card_hash": b"c" * 32}


@given(st.integers(1, 2**63 - 1), st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))
def test_the_nonce_s_digest_is_the_contract_s(training: int, owner: bytes, nonce: bytes) -> None:
    encoded = encode(["uint256", "address", "bytes32"], [training, owner, nonce])
    assert nonce_digest(training, "0x" + owner.hex(), nonce) == keccak(encoded)


def test_what_a_nonce_is_bound_to_is_what_a_contract_would_compute() -> None:
    types = ["bytes32", "uint256", "address", "uint256", "address", "bytes32", "bytes32"]
    domain = keccak(b"DeltaML commitment of an owner that joins: data card")
    values = [domain, 1337, b"\x11" * 20, 7, b"\xab" * 20, b"k" * 32, b"c" * 32]
    assert nonce_binding(**PLACE) == keccak(encode(types, values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"market": MARKET.model_copy(update={"chain_id": 1})},
        {"market": MARKET.model_copy(update={"contract": "0x" + "12" * 20})},
        {"training": 8},
        {"owner": "0x" + "ac" * 20},
        {"key_id": b"l" * 32},
        {"card_hash": b"d" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_nonce_is_bound_to_fits_no_other_place(change: dict[str, object]) -> None:
    assert nonce_binding(**{**PLACE, **change}) != nonce_binding(**PLACE)  # type: ignore[arg-type]


def test_a_checked_commitment_is_what_a_contract_would_compute() -> None:
    domain = keccak(b"DeltaML commitment of an owner that joins: data card and commitments")
    encoded = encode(["bytes32", "bytes32", "bytes32"], [domain, b"c" * 32, b"k" * 32])
    assert checked_commitment(b"c" * 32, b"k" * 32) == keccak(encoded)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_checked_commitment_names_card_and_commitments(card: bytes, committed: bytes) -> None:
    found = checked_commitment(card, committed)
    assert found != checked_commitment(committed, card) or card == committed
    assert found != nonce_binding(**{**PLACE, "card_hash": card})  # type: ignore[arg-type]


NONCE_OF = {"signing_key": b"s" * 32, "market": MARKET, "training": 7, "binding": b"c" * 32}


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_nonce_is_a_keyed_digest_of_what_it_binds(key: bytes, training: int, bound: bytes) -> None:
    own = hmac.new(key, b"DeltaML nonce of an owner that joins", hashlib.sha256).digest()
    place = encode(["uint256", "address", "uint256", "bytes32"], [1337, b"\x11" * 20, training, bound])
    assert secret_nonce(key, MARKET, training, bound) == hmac.new(own, place, hashlib.sha256).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"signing_key": b"t" * 32},
        {"market": MARKET.model_copy(update={"chain_id": 1})},
        {"market": MARKET.model_copy(update={"contract": "0x" + "12" * 20})},
        {"training": 8},
        {"binding": b"d" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_two_keys_trainings_or_commitments_have_the_same_nonce(change: dict[str, Any]) -> None:
    known: dict[str, Any] = {**NONCE_OF}
    assert secret_nonce(**{**known, **change}) != secret_nonce(**known)
