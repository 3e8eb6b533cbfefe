"""Openings: the holder can always prove the plaintext, nobody can prove another."""

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.blinding import blind_for_key_holder
from protocol.crypto.opening import Opening, open_ciphertext, verify_opening
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.randomness import Randomness

STREAM = Randomness(bytes(32))


def ciphertext_of(private_key: PrivateKey, m: int) -> mpz:
    key = private_key.public_key
    return blind_for_key_holder(key, [key.lift(m)], STREAM)[0]


@given(st.integers(-(1 << 600), 1 << 600))
def test_a_true_opening_verifies(private_key: PrivateKey, m: int) -> None:
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, m)
    opening = open_ciphertext(private_key, ciphertext)
    assert opening.plaintext == m % key.n
    assert verify_opening(key, ciphertext, opening)


def test_the_ends_of_the_range_open(private_key: PrivateKey) -> None:
    key = private_key.public_key
    for m in (0, 1, int(key.n) - 1):
        ciphertext = ciphertext_of(private_key, m)
        assert verify_opening(key, ciphertext, open_ciphertext(private_key, ciphertext))


def test_the_key_holder_s_own_encryptions_open(private_key: PrivateKey) -> None:
    ciphertext = private_key.encrypt(-77, STREAM)
    opening = open_ciphertext(private_key, ciphertext)
    assert verify_opening(private_key.public_key, ciphertext, opening)


@given(
    st.integers(0, 1 << 500), st.integers(1, 1 << 511), st.sampled_from(["plaintext", "root", "ciphertext"])
)
def test_any_change_fails(private_key: PrivateKey, m: int, change: int, what: str) -> None:
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, m)
    opening = open_ciphertext(private_key, ciphertext)
    if what == "plaintext":
        opening = Opening((opening.plaintext + change) % key.n, opening.root)
    elif what == "root":
        opening = Opening(opening.plaintext, (opening.root + change) % key.n)
    else:
        ciphertext = (ciphertext + change) % key.n_squared
    assert not verify_opening(key, ciphertext, opening)


@given(st.integers(1, 1 << 500))
def test_the_holder_of_the_key_cannot_open_as_another_plaintext(private_key: PrivateKey, shift: int) -> None:
    # With the key one can take the root of anything modulo n, but not so that it fits modulo n².
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, 5)
    false = (5 + shift) % key.n
    residue = ciphertext * key.lift(-false) % key.n
    root = gmpy2.powmod(residue, private_key.root_exponent, key.n)
    assert not verify_opening(key, ciphertext, Opening(mpz(false), root))


def test_only_the_smallest_representatives_count(private_key: PrivateKey) -> None:
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, 5)
    opening = open_ciphertext(private_key, ciphertext)
    m, r = opening.plaintext, opening.root
    for twin in (Opening(m + key.n, r), Opening(m - key.n, r), Opening(m, r + key.n), Opening(m, r - key.n)):
        assert not verify_opening(key, ciphertext, twin)


def test_a_root_of_zero_opens_nothing(private_key: PrivateKey) -> None:
    key = private_key.public_key
    assert not verify_opening(key, mpz(0), Opening(mpz(0), mpz(0)))


@pytest.mark.parametrize("m", [0, 3])
def test_opening_as_zero_needs_a_zero(private_key: PrivateKey, m: int) -> None:
    ciphertext = ciphertext_of(private_key, m)
    root = open_ciphertext(private_key, ciphertext).root
    assert verify_opening(private_key.public_key, ciphertext, Opening(mpz(0), root)) == (m == 0)
