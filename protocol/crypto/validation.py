"""What must hold of ciphertexts and keys that a peer sent, before anything is computed with them."""

from collections.abc import Sequence

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation

KEY_PROOF_ROOTS = 11
"""Roots in a key proof. Factors below 2^16 are excluded by division, so if gcd(n, φ(n)) > 1 a random unit
has an n-th root with probability at most 2^-16: eleven leave 2^-176 (Goldberg, Reyzin, Sagga, Baldimtsi,
2019)."""

_SMALL_PRIMES_BOUND = 1 << 16


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
    """Proof that gcd(n, φ(n)) = 1: n-th roots of hashed challenges, which exist for all units only then."""
    key = private_key.public_key
    length = (key.bits + 7) // 8
    roots = (gmpy2.powmod(c, private_key.root_exponent, key.n) for c in _challenges(key))
    return [int(root).to_bytes(length, "big") for root in roots]


def verify_public_key(n: int, proof: Sequence[bytes], bits: int, minimum_bits: int) -> PublicKey:
    """The key with modulus n, if it is what a Paillier key must be.

    Raises ProtocolViolation("bad_key") for a wrong size, an even or prime modulus, a perfect power, a factor
    below 2^16 or a proof that fails: a key chosen otherwise could make blinding by n-th powers lose its
    effect.
    """
    if bits < minimum_bits:
        raise ProtocolViolation("key_too_small", f"{bits} bits; at least {minimum_bits} accepted")
    if n < 1 or n.bit_length() != bits:
        raise ProtocolViolation("bad_key", f"{max(n, 0).bit_length()} bits; {bits} agreed")
    modulus = mpz(n)
    if gmpy2.gcd(modulus, gmpy2.primorial(_SMALL_PRIMES_BOUND)) != 1:
        raise ProtocolViolation("bad_key", "a factor below 2^16")
    if gmpy2.is_prime(modulus):
        raise ProtocolViolation("bad_key", "prime")
    if gmpy2.is_power(modulus):
        raise ProtocolViolation("bad_key", "a perfect power")
    key = PublicKey(modulus)
    challenges = _challenges(key)
    if len(proof) != len(challenges):
        raise ProtocolViolation("bad_key", f"{len(proof)} roots; {len(challenges)} needed")
    for challenge, blob in zip(challenges, proof, strict=True):
        root = mpz(int.from_bytes(blob, "big"))
        if not 0 < root < modulus or gmpy2.powmod(root, modulus, modulus) != challenge:
            raise ProtocolViolation("bad_key", "a root does not fit its challenge")
    return key


def _challenges(key: PublicKey) -> list[mpz]:
    stream = Randomness(keccak(b"deltaml key proof" + key.to_bytes()))
    return [stream.unit(key.n) for _ in range(KEY_PROOF_ROOTS)]
