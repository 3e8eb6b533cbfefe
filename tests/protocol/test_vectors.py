"""Encrypted vectors from peers: another key, scale or count is refused before any computation."""

from typing import Any

import pytest
from eth_hash.auto import keccak
from pydantic import ValidationError

from protocol.codec import pack, unpack
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.vectors import EncryptedVector, ciphertexts_digest

STREAM = Randomness(bytes(32))


def encrypted(private_key: PrivateKey, count: int = 3) -> EncryptedVector:
    ciphertexts = [private_key.encrypt(value, STREAM) for value in range(count)]
    return EncryptedVector.of(private_key.public_key, ciphertexts, 64)


def test_vectors_survive_the_wire(private_key: PrivateKey) -> None:
    key = private_key.public_key
    vector = unpack(EncryptedVector, pack(encrypted(private_key)))
    values = [private_key.decrypt(c) for c in vector.read(key, scale=64, count=3)]
    assert values == [0, 1, 2]


def refusal(vector: EncryptedVector, key: PublicKey, **expected: int) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        vector.read(key, **expected)
    return caught.value.code


def test_an_encrypted_vector_that_is_not_the_expected_one(
    private_key: PrivateKey, wide_key: PublicKey
) -> None:
    key, vector = private_key.public_key, encrypted(private_key)
    assert refusal(vector, wide_key, scale=64, count=3) == "wrong_key"
    assert refusal(vector, key, scale=104, count=3) == "wrong_scale"
    assert refusal(vector, key, scale=64, count=4) == "wrong_count"
    assert refusal(vector, key, scale=64, count=2) == "wrong_count"
    forged = vector.model_copy(update={"ciphertexts": (bytes(key.ciphertext_length),) * 3})
    assert refusal(forged, key, scale=64, count=3) == "bad_ciphertext"


def test_digests_name_the_ciphertexts(private_key: PrivateKey) -> None:
    vector = encrypted(private_key)
    assert vector.digest() == keccak(b"".join(vector.ciphertexts)) == ciphertexts_digest(vector.ciphertexts)
    swapped = vector.model_copy(update={"ciphertexts": vector.ciphertexts[::-1]})
    assert swapped.digest() != vector.digest()


@pytest.mark.parametrize(
    "change",
    [{"scale": -1}, {"scale": 4097}, {"ciphertexts": ()}, {"key_id": b"short"}, {"scales": (1, 2, 3)}],
)
def test_impossible_vectors_are_refused(private_key: PrivateKey, change: dict[str, Any]) -> None:
    content = encrypted(private_key).model_dump()
    with pytest.raises(ValidationError):
        EncryptedVector.model_validate({**content, **change})
