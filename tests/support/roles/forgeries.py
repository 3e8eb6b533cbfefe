"""Ciphertexts and vectors that a malicious sender might try."""

from collections.abc import Callable
from typing import Any

from protocol.crypto.paillier import PublicKey

Vector = Any
"""EncryptedVector."""


def with_first(vector: Vector, ciphertext: int | bytes, key: PublicKey) -> Vector:
    """The vector with another first ciphertext."""
    if isinstance(ciphertext, int):
        ciphertext = ciphertext.to_bytes(key.ciphertext_length, "big")
    return vector.model_copy(update={"ciphertexts": (ciphertext, *vector.ciphertexts[1:])})


def bad_vectors(vector: Vector, key: PublicKey, factor: int) -> dict[str, tuple[Vector, str]]:
    """By name: the vector spoilt in one way, and the code that must refuse it; `factor` divides n."""
    n, copy = int(key.n), vector.model_copy
    return {
        "zero": (with_first(vector, 0, key), "bad_ciphertext"),
        "n squared": (with_first(vector, n * n, key), "bad_ciphertext"),
        "n": (with_first(vector, n, key), "bad_ciphertext"),
        "a factor": (with_first(vector, factor * 5, key), "bad_ciphertext"),
        "too short": (with_first(vector, vector.ciphertexts[0][1:], key), "bad_ciphertext"),
        "too long": (with_first(vector, b"\0" + vector.ciphertexts[0], key), "bad_ciphertext"),
        "one less": (copy(update={"ciphertexts": vector.ciphertexts[1:]}), "wrong_count"),
        "one more": (
            copy(update={"ciphertexts": (*vector.ciphertexts, vector.ciphertexts[0])}),
            "wrong_count",
        ),
        "other key": (copy(update={"key_id": b"\1" * 32}), "wrong_key"),
        "other scale": (copy(update={"scale": vector.scale + 1}), "wrong_scale"),
    }


def bad_layouts(vector: Vector) -> dict[str, tuple[Vector, str]]:
    """By name: a packed vector in another layout than the widths give."""
    return {
        "other count": (vector.model_copy(update={"count": vector.count + 1}), "wrong_layout"),
        "other slots": (vector.model_copy(update={"slot_bits": vector.slot_bits - 1}), "wrong_layout"),
    }


BAD_VECTORS = (
    "zero",
    "n squared",
    "n",
    "a factor",
    "too short",
    "too long",
    "one less",
    "one more",
    "other key",
    "other scale",
)
BAD_PACKED = (*BAD_VECTORS, "other count", "other slots")


def spoilt(vector: Vector, market: Any, kind: str) -> tuple[Vector, str]:
    """One spoilt vector and the code that must refuse it."""
    choices: dict[str, Callable[[], dict[str, tuple[Vector, str]]]] = {
        kind: lambda: bad_vectors(vector, market.key.public_key, int(market.key.p))
    }
    if kind in ("other count", "other slots"):
        choices[kind] = lambda: bad_layouts(vector)
    return choices[kind]()[kind]
