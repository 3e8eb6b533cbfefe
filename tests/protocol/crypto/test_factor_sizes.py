"""The proof that both factors are large: honest keys pass, provers that lie do not, and it shows nothing."""

import os

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.factor_sizes import (
    CHALLENGE_BITS,
    NUMBERS,
    SLACK_BITS,
    Commitments,
    equations_hold,
    has_large_factors,
    prove_factor_sizes,
)
from protocol.crypto.paillier import PrivateKey, PublicKey, generate_private_key
from protocol.crypto.randomness import Randomness

EXAMPLES = int(os.environ.get("DELTAML_HYPOTHESIS_EXAMPLES", "20"))
"""How many transcripts are simulated; `make campaigns` has more."""


def prime(bits: int, seed: int) -> mpz:
    return gmpy2.next_prime((mpz(3) << (bits - 2)) + Randomness(seed.to_bytes(32, "big")).bits(bits - 3))


def test_the_modulus_is_no_prime_of_the_right_length() -> None:
    assert RSA_2048.modulus.bit_length() == 2048
    assert not gmpy2.is_prime(RSA_2048.modulus)
    assert not gmpy2.is_power(RSA_2048.modulus)
    assert gmpy2.gcd(RSA_2048.modulus, gmpy2.primorial(1 << 20)) == 1


def test_generators_are_squares_that_differ() -> None:
    assert RSA_2048.generator(b"one") != RSA_2048.generator(b"other")
    assert gmpy2.jacobi(RSA_2048.generator(b"one"), RSA_2048.modulus) == 1


@pytest.mark.parametrize("bits", [512, 1024])
def test_an_honest_key_passes_and_always_says_the_same(bits: int) -> None:
    private = generate_private_key(bits)
    proof = prove_factor_sizes(private)
    assert len(proof) == NUMBERS
    assert has_large_factors(private.public_key, proof)
    assert prove_factor_sizes(private) == proof


@pytest.mark.parametrize("small", [21, 40, 60])
def test_a_small_factor_beside_a_large_one_is_refused(small: int) -> None:
    private = PrivateKey(prime(small, 1), prime(512 - small, 2))
    assert not has_large_factors(private.public_key, prove_factor_sizes(private))
    assert not has_large_factors(private.public_key, within_bounds(private))


def test_one_and_the_modulus_are_no_factors() -> None:
    n = prime(256, 3) * prime(256, 4)
    trivial = PrivateKey(mpz(1), n)
    assert not has_large_factors(PublicKey(n), prove_factor_sizes(trivial))
    assert not has_large_factors(PublicKey(n), within_bounds(trivial))


def within_bounds(private: PrivateKey) -> list[mpz]:
    """The proof with its answers for the factors cut to the length that is allowed."""
    proof = prove_factor_sizes(private)
    bound = mpz(1) << (private.public_key.bits // 2 + CHALLENGE_BITS + SLACK_BITS)
    return [*proof[:6], proof[6] % bound, proof[7] % bound, *proof[8:]]


def test_other_factors_of_the_right_size_are_refused(private_key: PrivateKey) -> None:
    """Two large numbers that do not multiply to n: every equation but the product's holds."""
    other = PrivateKey(private_key.p, prime(256, 5))
    proof = prove_factor_sizes(other)
    assert has_large_factors(other.public_key, proof)
    assert not has_large_factors(private_key.public_key, proof)


@pytest.mark.parametrize("place", range(NUMBERS))
def test_every_number_is_checked(private_key: PrivateKey, place: int) -> None:
    key, proof = private_key.public_key, prove_factor_sizes(private_key)
    for wrong in (proof[place] + 1, mpz(0), -proof[place], proof[place] + RSA_2048.modulus, mpz(1) << 9000):
        assert not has_large_factors(key, [*proof[:place], wrong, *proof[place + 1 :]])


def test_a_proof_of_another_length_is_refused(private_key: PrivateKey) -> None:
    key, proof = private_key.public_key, prove_factor_sizes(private_key)
    for wrong in ([], proof[:-1], [*proof, mpz(1)]):
        assert not has_large_factors(key, wrong)


@settings(max_examples=EXAMPLES)
@given(st.integers(0, (1 << CHALLENGE_BITS) - 1), st.binary(min_size=32, max_size=32))
def test_whoever_knows_the_challenge_before_needs_no_factors(challenge: int, seed: bytes) -> None:
    """A simulated transcript holds as an honest one does: so an honest one tells nothing of the factors."""
    stream = Randomness(seed)
    key = PublicKey(prime(128, 6) * prime(128, 7))
    g, h = RSA_2048.generator(b"factor"), RSA_2048.generator(b"hiding")
    answers = [mpz(stream.bits(width)) for width in (320, 320, 2368, 2368, 2624)]
    hiding = mpz(stream.bits(2432))
    p, q = (RSA_2048.generator(seed + bytes([index])) for index in range(2))

    def power(base: mpz, exponent: mpz | int) -> mpz:
        return gmpy2.powmod(base, exponent, RSA_2048.modulus)

    def mask(shown: mpz, committed: mpz) -> mpz:
        return shown * power(committed, -challenge) % RSA_2048.modulus

    commitments = Commitments(
        p,
        q,
        mask(power(g, answers[0]) * power(h, answers[2]), p),
        mask(power(g, answers[1]) * power(h, answers[3]), q),
        mask(
            power(q, answers[0]) * power(h, answers[4]), power(g, key.n) * power(h, hiding) % RSA_2048.modulus
        ),
        hiding,
    )
    assert equations_hold(key, commitments, answers, challenge)
    assert not equations_hold(key, commitments, answers, challenge ^ 1)
