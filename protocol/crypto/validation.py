"""What must hold of ciphertexts and keys that a peer sent, before anything is computed with them."""

from collections.abc import Sequence
from functools import cache, lru_cache

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.factor_sizes import NUMBERS, has_large_factors, prove_factor_sizes
from protocol.crypto.native.batch import public_powers
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.crypto.two_primes import SQUARE_ROOTS, has_two_primes, prove_two_primes
from protocol.errors import ProtocolViolation

KEY_PROOF_ROOTS = 11
"""Roots in a key proof. Factors below 2^20 are excluded by division, so if gcd(n, φ(n)) > 1 a random unit
has an n-th root with probability at most 2^-20: eleven leave 2^-220 (Goldberg, Reyzin, Sagga, Baldimtsi,
2019)."""

_TWO_PRIMES_END = KEY_PROOF_ROOTS + 1 + SQUARE_ROOTS
KEY_PROOF_NUMBERS = _TWO_PRIMES_END + NUMBERS
"""Numbers in a key proof: 58 kB at 3072 bits."""

_SMALL_PRIMES_BOUND = 1 << 20


def read_ciphertexts(key: PublicKey, blobs: Sequence[bytes], expected: int) -> list[mpz]:
    """`expected` ciphertexts from fixed-length big-endian bytes.

    Raises ProtocolViolation("bad_ciphertext") unless each c has 0 < c < n² and gcd(c, n) = 1: a multiple of a
    factor would reveal the key, and zero would wipe out every product it enters.
    """
    if len(blobs) != expected:
        raise ProtocolViolation("wrong_count", f"{len(blobs)} ciphertexts; {expected} expected")
    length = key.ciphertext_length
    values: list[mpz] = []
    product = mpz(1)
    for blob in blobs:
        if len(blob) != length:
            raise ProtocolViolation("bad_ciphertext", f"{len(blob)} bytes; {length} expected")
        value = mpz(int.from_bytes(blob, "big"))
        if not 0 < value < key.n_squared:
            raise ProtocolViolation("bad_ciphertext", "not between 0 and n²")
        product = product * value % key.n
        values.append(value)
    if gmpy2.gcd(product, key.n) != 1:
        raise ProtocolViolation("bad_ciphertext", "shares a factor with n")
    return values


def write_ciphertexts(key: PublicKey, ciphertexts: Sequence[mpz]) -> list[bytes]:
    """Fixed-length big-endian bytes: a length that follows the value would say something about it."""
    length = key.ciphertext_length
    return [int(ciphertext).to_bytes(length, "big") for ciphertext in ciphertexts]


def prove_key(private_key: PrivateKey) -> list[bytes]:
    """Proof that gcd(n, φ(n)) = 1, that n has two prime factors, and that both are large.

    The first are n-th roots of hashed challenges, which exist for all units only then; see `two_primes` and
    `factor_sizes` for the others. Numbers modulo n are as long as n.
    """
    key = private_key.public_key
    length = (key.bits + 7) // 8
    roots = private_key.nth_roots(_challenges(key))
    numbers = map(int, (*roots, *prove_two_primes(private_key), *prove_factor_sizes(private_key)))
    return [value.to_bytes(max(length, (value.bit_length() + 7) // 8), "big") for value in numbers]


def verify_public_key(n: int, proof: Sequence[bytes], bits: int, minimum_bits: int) -> PublicKey:
    """The key with modulus n, if it is what a Paillier key must be.

    Raises ProtocolViolation("bad_key") for a wrong size, a prime modulus, a perfect power, more than two
    prime factors, one below 2^20 or 2^(bits/2 − 194), or a proof that fails: a key chosen otherwise could
    make blinding by n-th powers lose its effect, or be taken apart by anybody.
    """
    if bits < minimum_bits:
        raise ProtocolViolation("key_too_small", f"{bits} bits; at least {minimum_bits} accepted")
    return _verified(n, tuple(proof), bits)


@lru_cache(maxsize=16)
def _verified(n: int, proof: tuple[bytes, ...], bits: int) -> PublicKey:
    """What held once is not checked again: invitations are repeated, and parties may share a process."""
    key = _checked_modulus(n, bits)
    challenges = _challenges(key)
    if len(proof) != KEY_PROOF_NUMBERS:
        raise ProtocolViolation(
            "bad_key",
            f"{len(proof)} numbers in its proof; {KEY_PROOF_NUMBERS} needed",
        )
    numbers = [mpz(int.from_bytes(blob, "big")) for blob in proof]
    roots = numbers[:KEY_PROOF_ROOTS]
    if not all(0 < root < key.n for root in roots) or public_powers(roots, n, key.n) != challenges:
        raise ProtocolViolation("bad_key", "a root does not fit its challenge")
    if not has_two_primes(key, numbers[KEY_PROOF_ROOTS:_TWO_PRIMES_END]):
        raise ProtocolViolation("bad_key", "it is not shown to have two prime factors alone")
    if not has_large_factors(key, numbers[_TWO_PRIMES_END:]):
        raise ProtocolViolation("bad_key", "its prime factors are not shown to be large")
    return key


def _checked_modulus(n: int, bits: int) -> PublicKey:
    if n < 1 or n.bit_length() != bits:
        raise ProtocolViolation("bad_key", f"{max(n, 0).bit_length()} bits; {bits} agreed")
    modulus = mpz(n)
    if gmpy2.gcd(modulus, _small_primes()) != 1:
        raise ProtocolViolation("bad_key", "a factor below 2^20")
    if gmpy2.is_prime(modulus):
        raise ProtocolViolation("bad_key", "prime")
    if gmpy2.is_power(modulus):
        raise ProtocolViolation("bad_key", "a perfect power")
    return PublicKey(modulus)


@cache
def _small_primes() -> mpz:
    """Their product, some 190 kB."""
    return gmpy2.primorial(_SMALL_PRIMES_BOUND)


def _challenges(key: PublicKey) -> list[mpz]:
    stream = Randomness(keccak(b"deltaml key proof" + key.to_bytes()))
    return [stream.unit(key.n) for _ in range(KEY_PROOF_ROOTS)]
