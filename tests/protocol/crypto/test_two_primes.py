"""A modulus of more than two primes cannot be shown to have two."""

import math

import gmpy2
import pytest
from gmpy2 import mpz

from protocol.crypto.paillier import PrivateKey, PublicKey, generate_private_key
from protocol.crypto.randomness import Randomness
from protocol.crypto.two_primes import (
    SQUARE_ROOTS,
    _challenges,
    _square_root,
    has_two_primes,
    prove_two_primes,
)

STREAM = Randomness(b"t" * 32)


def test_an_honest_key_passes_and_proves_the_same_each_time(private_key: PrivateKey) -> None:
    proof = prove_two_primes(private_key)
    assert has_two_primes(private_key.public_key, proof)
    assert prove_two_primes(PrivateKey(private_key.p, private_key.q)) == proof


@pytest.mark.parametrize("bits", [256, 258, 512])
def test_any_honest_key_passes(bits: int) -> None:
    private = generate_private_key(bits)
    assert has_two_primes(private.public_key, prove_two_primes(private))


@pytest.mark.parametrize("place", [1, SQUARE_ROOTS // 2, SQUARE_ROOTS])
def test_one_wrong_root_is_refused(private_key: PrivateKey, place: int) -> None:
    proof = prove_two_primes(private_key)
    proof[place] += 1
    assert not has_two_primes(private_key.public_key, proof)


def test_a_proof_of_another_length_or_another_z_is_refused(private_key: PrivateKey) -> None:
    key, proof = private_key.public_key, prove_two_primes(private_key)
    p, n = int(private_key.p), int(key.n)
    assert not has_two_primes(key, proof[:-1])
    assert not has_two_primes(key, [*proof, 1])
    assert not has_two_primes(key, [])
    for z in (0, 1, p, n, n + proof[0], proof[0] + 1):
        assert not has_two_primes(key, [z, *proof[1:]])


@pytest.mark.parametrize("count", [3, 4, 26])
def test_of_more_primes_at_most_half_of_the_challenges_have_a_root(count: int) -> None:
    """Whoever knows all factors picks the best z; for 26 primes of 40 bits hardly a root exists."""
    primes = [gmpy2.next_prime(mpz(STREAM.bits(40) | 1 << 39)) for _ in range(count)]
    key = PublicKey(math.prod(primes))
    best = 0
    for z in range(2, 60):
        found = [
            any(all(gmpy2.legendre(c * factor, p) == 1 for p in primes) for factor in (1, z))
            for c in _challenges(key, mpz(z))
        ]
        best = max(best, sum(found))
    assert best <= (SQUARE_ROOTS * 3 // 4 if count == 3 else SQUARE_ROOTS // 2)


@pytest.mark.parametrize("prime", [7, 13, 17, 97, 257, 65537, 12289])
def test_square_roots_modulo_every_kind_of_prime(prime: int) -> None:
    nonresidue = next(mpz(z) for z in range(2, prime) if gmpy2.legendre(z, prime) == -1)
    for value in range(1, min(prime, 200)):
        root = _square_root(mpz(value * value % prime), mpz(prime), nonresidue)
        assert root in (value, prime - value)
        assert root <= prime // 2


@pytest.mark.parametrize("bits", [16, 64, 256])
def test_modulo_a_blum_prime_the_smaller_root_is_found(bits: int) -> None:
    """Both ways must show the same root: two different ones of a challenge give the factors away."""
    prime = gmpy2.next_prime(mpz(STREAM.bits(bits)))
    while prime % 4 != 3:
        prime = gmpy2.next_prime(prime)
    for _ in range(20):
        value = mpz(STREAM.below(int(prime) - 1)) + 1
        root = _square_root(value * value % prime, prime, prime - 1)
        assert root == min(value, prime - value)
