"""Openings: the holder can always prove the plaintext, nobody can prove another."""

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.opening import Opening, false_openings, open_ciphertext, verify_openings
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.crypto.rooted import RootedProduct

STREAM = Randomness(bytes(32))


def ciphertext_of(private_key: PrivateKey, m: int) -> mpz:
    key = private_key.public_key
    return RootedProduct([], [], m, STREAM.unit(key.n)).ciphertext(key)


def opens(key: PublicKey, ciphertext: mpz, opening: Opening) -> bool:
    return verify_openings(key, [ciphertext], [opening], STREAM)


@given(st.integers(-(1 << 600), 1 << 600))
def test_a_true_opening_verifies(private_key: PrivateKey, m: int) -> None:
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, m)
    opening = open_ciphertext(private_key, ciphertext)
    assert opening.plaintext == m % key.n
    assert opens(key, ciphertext, opening)


def test_the_ends_of_the_range_open(private_key: PrivateKey) -> None:
    key = private_key.public_key
    for m in (0, 1, int(key.n) - 1):
        ciphertext = ciphertext_of(private_key, m)
        assert opens(key, ciphertext, open_ciphertext(private_key, ciphertext))


def test_the_key_holder_s_own_encryptions_open(private_key: PrivateKey) -> None:
    ciphertext = private_key.encrypt(-77, STREAM)
    opening = open_ciphertext(private_key, ciphertext)
    assert opens(private_key.public_key, ciphertext, opening)


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
    assert not opens(key, ciphertext, opening)


@given(st.integers(1, 1 << 500))
def test_the_holder_of_the_key_cannot_open_as_another_plaintext(private_key: PrivateKey, shift: int) -> None:
    # With the key one can take the root of anything modulo n, but not so that it fits modulo n².
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, 5)
    false = (5 + shift) % key.n
    residue = ciphertext * key.lift(-false) % key.n
    root = private_key.nth_root(residue)
    assert not opens(key, ciphertext, Opening(mpz(false), root))


def test_only_the_smallest_representatives_count(private_key: PrivateKey) -> None:
    key = private_key.public_key
    ciphertext = ciphertext_of(private_key, 5)
    opening = open_ciphertext(private_key, ciphertext)
    m, r = opening.plaintext, opening.root
    for twin in (Opening(m + key.n, r), Opening(m - key.n, r), Opening(m, r + key.n), Opening(m, r - key.n)):
        assert not opens(key, ciphertext, twin)


def test_a_root_of_zero_opens_nothing(private_key: PrivateKey) -> None:
    key = private_key.public_key
    assert not opens(key, mpz(0), Opening(mpz(0), mpz(0)))


@pytest.mark.parametrize("m", [0, 3])
def test_opening_as_zero_needs_a_zero(private_key: PrivateKey, m: int) -> None:
    ciphertext = ciphertext_of(private_key, m)
    root = open_ciphertext(private_key, ciphertext).root
    assert opens(private_key.public_key, ciphertext, Opening(mpz(0), root)) == (m == 0)


@given(st.lists(st.integers(0, 1 << 500), max_size=5))
def test_true_openings_verify_together(private_key: PrivateKey, plaintexts: list[int]) -> None:
    ciphertexts = [ciphertext_of(private_key, m) for m in plaintexts]
    openings = [open_ciphertext(private_key, ciphertext) for ciphertext in ciphertexts]
    assert verify_openings(private_key.public_key, ciphertexts, openings, STREAM)


@given(st.lists(st.integers(0, 1 << 500), min_size=2, max_size=4, unique=True), st.integers(1, 1 << 400))
def test_lies_that_cancel_in_a_plain_product_fail(
    private_key: PrivateKey, plaintexts: list[int], lie: int
) -> None:
    """One plaintext too high and another as much too low: only secret coefficients tell."""
    key = private_key.public_key
    ciphertexts = [ciphertext_of(private_key, m) for m in plaintexts]
    first, second, *others = [open_ciphertext(private_key, ciphertext) for ciphertext in ciphertexts]
    lies = [
        Opening((first.plaintext + lie) % key.n, first.root),
        Opening((second.plaintext - lie) % key.n, second.root),
    ]
    assert not verify_openings(key, ciphertexts, [*lies, *others], STREAM)
    assert not verify_openings(key, ciphertexts, [second, first, *others], STREAM)


def test_a_root_of_another_sign_still_has_the_one_plaintext(private_key: PrivateKey) -> None:
    """−1 is an n-th power: a root that it multiplies may pass, another plaintext with it may not."""
    key, ciphertext = private_key.public_key, ciphertext_of(private_key, 5)
    opening = open_ciphertext(private_key, ciphertext)
    turned = [Opening(mpz(m), key.n - opening.root) for m in (4, 6)]
    assert not any(opens(key, ciphertext, other) for other in turned)


def test_alone_an_opening_takes_its_own_root_and_no_chance(private_key: PrivateKey) -> None:
    """Of several, a root of the other sign passes under even coefficients; of one it never does."""
    key, ciphertext = private_key.public_key, ciphertext_of(private_key, 5)
    opening = open_ciphertext(private_key, ciphertext)
    turned = Opening(opening.plaintext, key.n - opening.root)
    streams = [Randomness(bytes([index]) * 32) for index in range(8)]
    assert not any(verify_openings(key, [ciphertext], [turned], stream) for stream in streams)
    assert all(verify_openings(key, [ciphertext], [opening], stream) for stream in streams)


@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_root_that_is_no_unit_opens_nothing_and_raises_nothing(
    private_key: PrivateKey, others: int
) -> None:
    key = private_key.public_key
    ciphertexts = [ciphertext_of(private_key, m) for m in range(others + 1)]
    openings = [open_ciphertext(private_key, one) for one in ciphertexts]
    openings[-1] = Opening(openings[-1].plaintext, private_key.p)
    assert not verify_openings(key, ciphertexts, openings, STREAM)
    assert false_openings(key, ciphertexts, openings) == (others,)


def test_as_many_openings_as_ciphertexts_are_needed(private_key: PrivateKey) -> None:
    with pytest.raises(ValueError, match="zip"):
        verify_openings(private_key.public_key, [ciphertext_of(private_key, 1)], [], STREAM)


@given(st.integers(1, 1 << 500))
def test_a_root_is_a_root(private_key: PrivateKey, value: int) -> None:
    n = private_key.public_key.n
    assert gmpy2.powmod(private_key.nth_root(mpz(value)), n, n) == value % n


def test_what_fails_together_is_found_one_by_one(private_key: PrivateKey) -> None:
    key = private_key.public_key
    ciphertexts = [ciphertext_of(private_key, m) for m in range(5)]
    openings = [open_ciphertext(private_key, one) for one in ciphertexts]
    assert false_openings(key, ciphertexts, openings) == ()
    openings[1] = Opening(openings[1].plaintext + 1, openings[1].root)
    openings[2] = Opening(openings[2].plaintext + key.n, openings[2].root)
    openings[4] = Opening(openings[4].plaintext, openings[4].root + key.n)
    assert not verify_openings(key, ciphertexts, openings, STREAM)
    assert false_openings(key, ciphertexts, openings) == (1, 2, 4)
    with pytest.raises(ValueError, match="zip"):
        false_openings(key, ciphertexts[1:], openings)


def test_lies_that_cancel_each_other_are_found_together_and_apart(private_key: PrivateKey) -> None:
    key = private_key.public_key
    ciphertexts = [ciphertext_of(private_key, m) for m in (5, 9)]
    first, second = (open_ciphertext(private_key, one) for one in ciphertexts)
    lies = [Opening(first.plaintext + 1, first.root), Opening(second.plaintext - 1, second.root)]
    assert not verify_openings(key, ciphertexts, lies, STREAM)
    assert false_openings(key, ciphertexts, lies) == (0, 1)
