"""Ciphertexts and keys from peers who cheat."""

import math

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.paillier import PrivateKey, PublicKey, generate_private_key
from protocol.crypto.randomness import Randomness
from protocol.crypto.validation import (
    KEY_PROOF_NUMBERS,
    KEY_PROOF_ROOTS,
    _challenges,
    prove_key,
    read_ciphertexts,
    verify_public_key,
    write_ciphertexts,
)
from protocol.errors import ProtocolViolation

STREAM = Randomness(bytes(32))


def blob(key: PublicKey, value: int) -> bytes:
    return int(value).to_bytes(key.ciphertext_length, "big")


@given(st.lists(st.integers(0, 1 << 500), max_size=4))
def test_honest_ciphertexts_pass(private_key: PrivateKey, values: list[int]) -> None:
    key = private_key.public_key
    ciphertexts = [private_key.encrypt(value, STREAM) for value in values]
    blobs = write_ciphertexts(key, ciphertexts)
    assert {len(one) for one in blobs} <= {key.ciphertext_length}
    assert read_ciphertexts(key, blobs, len(values)) == ciphertexts


def test_the_smallest_and_the_largest_ciphertext_pass(key: PublicKey) -> None:
    values = [1, int(key.n_squared) - 1]
    assert read_ciphertexts(key, [blob(key, value) for value in values], 2) == values


def forged(private_key: PrivateKey) -> dict[str, int]:
    p, q, n = int(private_key.p), int(private_key.q), int(private_key.public_key.n)
    return {
        "zero": 0,
        "n²": n * n,
        "n² + 1": n * n + 1,
        "n": n,
        "p": p,
        "q²": q * q,
        "multiple of p": p * 12_345,
        "n² − p": n * n - p,
    }


@pytest.mark.parametrize("name", ["zero", "n²", "n² + 1", "n", "p", "q²", "multiple of p", "n² − p"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_forged_ciphertexts_are_refused_among_honest_ones(
    private_key: PrivateKey, name: str, place: int
) -> None:
    key = private_key.public_key
    blobs = write_ciphertexts(key, [private_key.encrypt(value, STREAM) for value in (1, 2)])
    blobs.insert(place, blob(key, forged(private_key)[name]))
    with pytest.raises(ProtocolViolation) as caught:
        read_ciphertexts(key, blobs, 3)
    assert caught.value.code == "bad_ciphertext"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_count_is_refused(private_key: PrivateKey, count: int) -> None:
    key = private_key.public_key
    blobs = write_ciphertexts(key, [private_key.encrypt(1, STREAM)] * count)
    with pytest.raises(ProtocolViolation, match=f"{count} ciphertexts; 2 expected") as caught:
        read_ciphertexts(key, blobs, 2)
    assert caught.value.code == "wrong_count"


@pytest.mark.parametrize("change", [lambda b: b[1:], lambda b: b"\0" + b, lambda _: b""])
def test_another_length_is_refused(private_key: PrivateKey, change: object) -> None:
    key = private_key.public_key
    assert callable(change)
    short = change(blob(key, 4))
    with pytest.raises(ProtocolViolation, match="128 expected"):
        read_ciphertexts(key, [short], 1)


def refused_key(n: int, proof: list[bytes], bits: int, minimum_bits: int = 256) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as caught:
        verify_public_key(n, proof, bits, minimum_bits)
    return caught.value


def prime(bits: int, seed: int) -> mpz:
    """A prime with its two highest bits set."""
    start = mpz(3) << (bits - 2)
    return gmpy2.next_prime(start + Randomness(seed.to_bytes(32, "big")).bits(bits - 3))


def honest_proof(n: mpz) -> list[bytes]:
    """As well as one can who does not know better: right in form, wrong in substance."""
    return [b"\x02".rjust((n.bit_length() + 7) // 8, b"\0")] * KEY_PROOF_NUMBERS


def test_an_honest_key_passes(private_key: PrivateKey) -> None:
    n = int(private_key.public_key.n)
    assert verify_public_key(n, prove_key(private_key), 512, 512) == private_key.public_key


def test_a_proof_that_held_is_remembered_for_this_key_proof_and_size_alone(private_key, wide_private_key):
    n, proof = int(private_key.public_key.n), prove_key(private_key)
    assert verify_public_key(n, proof, 512, 512) is verify_public_key(n, list(proof), 512, 384)
    others = [
        (n, [*proof[:-1], proof[-2]], 512, 512),
        (int(wide_private_key.public_key.n), proof, 1024, 512),
        (n, proof, 513, 512),
        (n, proof, 512, 1024),
    ]
    for other in others:
        with pytest.raises(ProtocolViolation):
            verify_public_key(*other)


def test_a_key_of_another_size_is_refused(private_key: PrivateKey) -> None:
    n, proof = int(private_key.public_key.n), prove_key(private_key)
    assert refused_key(n, proof, 512, 2048).code == "key_too_small"
    assert "512 bits; 576 agreed" in str(refused_key(n, proof, 576))
    assert refused_key(n, proof, 448).code == "bad_key"
    assert refused_key(0, proof, 512).code == "bad_key"
    assert refused_key(-n, proof, 512).code == "bad_key"


def test_small_factors_and_even_moduli_are_refused() -> None:
    even = int(prime(511, 1)) * 2
    small = int(prime(492, 2)) * 1048573  # the largest prime below 2^20
    for n in (even, small):
        assert refused_key(n, honest_proof(mpz(n)), n.bit_length()).detail == "a factor below 2^20"


def test_a_prime_is_refused() -> None:
    # Modulo a prime n every unit has an n-th root (itself), so the proof alone would pass.
    n = prime(512, 3)
    length = (n.bit_length() + 7) // 8
    roots = [int(c).to_bytes(length, "big") for c in _challenges(PublicKey(n))]
    assert refused_key(int(n), roots, 512).detail == "prime"


def test_a_perfect_power_is_refused() -> None:
    for root, exponent in ((prime(256, 4), 2), (prime(128, 5), 4)):
        n = root**exponent
        assert refused_key(int(n), honest_proof(n), n.bit_length()).detail == "a perfect power"


def bent_key(small_bits: int) -> tuple[mpz, mpz]:
    """Primes p and q = 2kp + 1, so that gcd(n, φ(n)) = p: r ↦ r^n mod n² hides less than it should."""
    p = prime(small_bits, 6)
    k = mpz(1) << (512 - 2 * small_bits - 1)
    while not gmpy2.is_prime(2 * k * p + 1):
        k += 1
    return p, 2 * k * p + 1


@pytest.mark.parametrize("small_bits", [21, 60, 160])
def test_a_bent_key_has_no_proof(small_bits: int) -> None:
    p, q = bent_key(small_bits)
    n = p * q
    assert gmpy2.gcd(n, (p - 1) * (q - 1)) == p
    with pytest.raises(ZeroDivisionError):
        prove_key(PrivateKey(p, q))
    proof = [*best_forgery(p, q), *honest_proof(n)][:KEY_PROOF_NUMBERS]
    refused = refused_key(int(n), proof, int(n.bit_length()))
    assert refused.detail == "a root does not fit its challenge"


def test_a_product_of_many_small_primes_is_refused() -> None:
    """26 primes of 40 bits: all n-th roots exist, and anybody could factor it."""
    primes = [prime(40, seed) for seed in range(100, 126)]
    n = math.prod(primes)
    order = math.lcm(*(int(p) - 1 for p in primes))
    assert gmpy2.gcd(n, order) == 1
    length = (n.bit_length() + 7) // 8
    exponent = gmpy2.invert(n, order)
    roots = [
        int(gmpy2.powmod(challenge, exponent, n)).to_bytes(length, "big")
        for challenge in _challenges(PublicKey(n))
    ]
    proof = [*roots, *honest_proof(n)][:KEY_PROOF_NUMBERS]
    refused = refused_key(int(n), proof, int(n.bit_length()))
    assert refused.detail == "it is not shown to have two prime factors alone"


@pytest.mark.parametrize("small_bits", [21, 60])
def test_a_small_prime_beside_a_large_one_is_refused(small_bits: int) -> None:
    """Everything else holds of such a key, and anybody could factor it."""
    private = PrivateKey(prime(small_bits, 8), prime(512 - small_bits, 9))
    n = int(private.public_key.n)
    refused = refused_key(n, prove_key(private), n.bit_length())
    assert refused.detail == "its prime factors are not shown to be large"


def best_forgery(p: mpz, q: mpz) -> list[bytes]:
    """The n-th roots of those challenges that have one, a guess for the others."""
    n = p * q
    length = (n.bit_length() + 7) // 8
    # Modulo p, raising to the n-th power permutes; modulo q only p-th powers have roots.
    roots = []
    for challenge in _challenges(PublicKey(n)):
        root_p = gmpy2.powmod(challenge, gmpy2.invert(n, p - 1), p)
        order = (q - 1) // p
        root_q = gmpy2.powmod(challenge, gmpy2.invert(n, order), q) if gmpy2.gcd(n, order) == 1 else mpz(1)
        root = (root_p * q * gmpy2.invert(q, p) + root_q * p * gmpy2.invert(p, q)) % n
        roots.append(int(root).to_bytes(length, "big"))
    return roots


def test_a_proof_is_no_proof_for_another_key(private_key: PrivateKey) -> None:
    other = generate_private_key(512)
    refused = refused_key(int(private_key.public_key.n), prove_key(other), 512)
    assert refused.detail == "a root does not fit its challenge"


@pytest.mark.parametrize("place", range(KEY_PROOF_ROOTS))
def test_every_root_is_checked(private_key: PrivateKey, place: int) -> None:
    n = private_key.public_key.n
    proof = prove_key(private_key)
    root = int.from_bytes(proof[place], "big")
    for wrong in (0, n - root, root ^ 1, root + n):
        proof[place] = int(wrong).to_bytes(65, "big")
        assert refused_key(int(n), proof, 512).code == "bad_key"


def test_a_proof_of_another_length_is_refused(private_key: PrivateKey) -> None:
    n, proof = int(private_key.public_key.n), prove_key(private_key)
    assert refused_key(n, proof[:-1], 512).detail == "150 numbers in its proof; 151 needed"
    assert refused_key(n, [*proof, proof[0]], 512).detail == "152 numbers in its proof; 151 needed"
    assert refused_key(n, [], 512).detail == "0 numbers in its proof; 151 needed"
