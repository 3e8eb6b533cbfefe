"""Paillier's cryptosystem against Python integers and the textbook formulas."""

import os

import gmpy2
import pytest
from eth_hash.auto import keccak
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.opening import open_ciphertext, verify_openings
from protocol.crypto.paillier import FixedBaseTable, PrivateKey, PublicKey, generate_private_key
from protocol.crypto.randomness import Randomness
from protocol.crypto.validation import prove_key, verify_public_key
from protocol.errors import MisuseError

SEEDS = st.binary(min_size=32, max_size=32)
INTEGERS = st.integers(-(1 << 600), 1 << 600)


def textbook_decrypt(private_key: PrivateKey, ciphertext: mpz) -> int:
    """L(c^λ mod n²)·L((1+n)^λ mod n²)⁻¹ mod n, without remainder theorem or tables."""
    n = private_key.p * private_key.q
    order = (private_key.p - 1) * (private_key.q - 1)
    quotient = (pow(ciphertext, order, n * n) - 1) // n
    return int(quotient * gmpy2.invert(order, n) % n)


@given(INTEGERS, SEEDS)
def test_decryption_undoes_encryption(private_key: PrivateKey, m: int, seed: bytes) -> None:
    ciphertext = private_key.encrypt(m, Randomness(seed))
    n = private_key.public_key.n
    assert 0 < ciphertext < n * n
    assert private_key.decrypt(ciphertext) == m % n
    assert textbook_decrypt(private_key, ciphertext) == m % n


@given(INTEGERS, SEEDS)
def test_decryption_of_textbook_encryptions(private_key: PrivateKey, m: int, seed: bytes) -> None:
    key = private_key.public_key
    n = int(key.n)
    root = int(Randomness(seed).unit(key.n))
    ciphertext = pow(1 + n, m % n, n * n) * pow(root, n, n * n) % (n * n)
    assert private_key.decrypt(mpz(ciphertext)) == m % n


def test_the_ends_of_the_range(private_key: PrivateKey) -> None:
    key = private_key.public_key
    n = int(key.n)
    for m, signed in {
        0: 0,
        1: 1,
        -1: -1,
        n // 2: n // 2,
        n // 2 + 1: -(n // 2),
        -(n // 2): -(n // 2),
        n - 1: -1,
        n: 0,
        -n: 0,
    }.items():
        decrypted = private_key.decrypt(private_key.encrypt(m, Randomness(os.urandom(32))))
        assert decrypted == m % n
        assert key.signed(decrypted) == signed


@given(st.lists(INTEGERS, max_size=5), INTEGERS, SEEDS)
def test_products_add_and_powers_multiply(
    private_key: PrivateKey, values: list[int], factor: int, seed: bytes
) -> None:
    key, stream = private_key.public_key, Randomness(seed)
    ciphertexts = [private_key.encrypt(value, stream) for value in values]
    total = key.add(*ciphertexts, key.lift(factor))
    assert private_key.decrypt(total) == (sum(values) + factor) % key.n
    multiple = key.multiply(total, factor)
    assert multiple == gmpy2.powmod(total, factor, key.n_squared)
    assert private_key.decrypt(multiple) == (sum(values) + factor) * factor % key.n


@given(INTEGERS)
def test_lift_is_a_power_of_the_generator(key: PublicKey, m: int) -> None:
    assert key.lift(m) == gmpy2.powmod(key.n + 1, m, key.n_squared)


def test_every_encryption_is_fresh(private_key: PrivateKey) -> None:
    stream = Randomness(os.urandom(32))
    ciphertexts = {private_key.encrypt(7, stream) for _ in range(50)}
    assert len(ciphertexts) == 50


def test_the_table_blinds_in_both_prime_groups(private_key: PrivateKey) -> None:
    # A randomiser that were trivial modulo one prime would show that prime: gcd(c/lift(m) − 1, n).
    key = private_key.public_key
    carmichael = gmpy2.lcm(private_key.p - 1, private_key.q - 1)
    for _ in range(20):
        blinding = private_key.encrypt(5, Randomness(os.urandom(32))) * key.lift(-5) % key.n_squared
        assert gmpy2.gcd(blinding - 1, key.n) == 1
        assert pow(blinding, carmichael, key.n_squared) == 1


@given(st.integers(0, (1 << 130) - 1), st.integers(2, 6))
def test_the_fixed_base_table_is_a_power(exponent: int, window: int) -> None:
    modulus = mpz((1 << 127) - 1)
    assert FixedBaseTable(mpz(3), modulus, 130, window).power(exponent) == pow(3, exponent, modulus)


@pytest.mark.parametrize("exponent", [-1, -(1 << 200), 1 << 132, (1 << 132) + 5])
def test_an_exponent_that_the_table_does_not_hold_is_refused(exponent: int) -> None:
    with pytest.raises(MisuseError, match="132 − 1"):
        FixedBaseTable(mpz(3), mpz(101), 130).power(exponent)


def test_the_key_survives_its_bytes(private_key: PrivateKey) -> None:
    content = private_key.to_bytes()
    copy = PrivateKey.from_bytes(content)
    assert copy == private_key
    assert copy.public_key == private_key.public_key
    assert PrivateKey.from_bytes(bytes(bytearray(content))) is copy


def test_bytes_of_primes_of_unlike_length() -> None:
    lopsided = PrivateKey(gmpy2.next_prime(1 << 100), gmpy2.next_prime(1 << 300))
    assert PrivateKey.from_bytes(lopsided.to_bytes()) == lopsided
    assert lopsided.decrypt(lopsided.encrypt(-9, Randomness(bytes(32)))) == lopsided.public_key.n - 9


def test_what_names_a_public_key(key: PublicKey) -> None:
    assert PublicKey(int.from_bytes(key.to_bytes(), "big")) == key
    assert key.key_id == keccak(int(key.n).to_bytes(64, "big"))
    assert (key.bits, key.ciphertext_length) == (512, 128)


def test_repr_hides_the_primes(private_key: PrivateKey) -> None:
    private_key.decrypt(mpz(2))  # fills the cached parts
    for text in (repr(private_key), str(private_key), f"{private_key}"):
        assert text == "PrivateKey()"


@pytest.mark.parametrize("bits", [256, 258, 300])
def test_generated_keys_have_the_asked_length(bits: int) -> None:
    private_key = generate_private_key(bits)
    assert private_key.public_key.bits == bits
    assert gmpy2.is_prime(private_key.p)
    assert gmpy2.is_prime(private_key.q)
    assert private_key.p != private_key.q


@pytest.mark.parametrize("bits", [256, 258, 512])
def test_generated_keys_are_blum_s(bits: int) -> None:
    for _ in range(6):  # of primes drawn anyhow, 1 in 4096 such runs would pass
        private_key = generate_private_key(bits)
        assert private_key.p % 4 == private_key.q % 4 == 3
        assert gmpy2.jacobi(-1, private_key.public_key.n) == 1


def test_a_stored_key_of_other_primes_still_opens() -> None:
    """Keys were made of any primes before: those of a stored training decrypt, open and prove as they did."""
    p, q = (next_prime_of(1, mpz(3) << 254), next_prime_of(1, mpz(7) << 253))
    stored = PrivateKey(p, q).to_bytes()
    older = PrivateKey.from_bytes(stored)
    ciphertext = older.encrypt(-12345, Randomness(bytes(32)))
    assert older.public_key.signed(older.decrypt(ciphertext)) == -12345
    opening = open_ciphertext(older, ciphertext)
    assert verify_openings(older.public_key, [ciphertext], [opening], Randomness(bytes(32)))
    bits = older.public_key.bits
    assert verify_public_key(int(older.public_key.n), prove_key(older), bits, 256) == older.public_key


def next_prime_of(residue: int, start: mpz) -> mpz:
    """The next prime that is `residue` modulo 4."""
    prime = gmpy2.next_prime(start)
    while prime % 4 != residue:
        prime = gmpy2.next_prime(prime)
    return prime


@pytest.mark.parametrize("bits", [0, 254, 257, 1025])
def test_other_lengths_are_refused(bits: int) -> None:
    with pytest.raises(MisuseError, match=f"a key of {bits} bits"):
        generate_private_key(bits)
