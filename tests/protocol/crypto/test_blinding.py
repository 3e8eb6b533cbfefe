"""The door through which ciphertexts leave: same plaintext, fresh ciphertext, the right randomiser."""

import os

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.blinding import ShortExponentBlinder, draw_base
from protocol.crypto.paillier import SHORT_EXPONENT_BITS, PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.crypto.rooted import RootedProduct

SEEDS = st.binary(min_size=32, max_size=32)
BASE_SEED = b"b" * 32
KINDS = ["key holder", "short exponent"]


def blind(kind: str, key: PublicKey, ciphertexts: list[mpz], randomness: Randomness) -> list[mpz]:
    if kind == "key holder":
        products = (RootedProduct([c], [1], 0, randomness.unit(key.n)) for c in ciphertexts)
        return [one.ciphertext(key) for one in products]
    return ShortExponentBlinder(key, BASE_SEED).blind(ciphertexts, randomness)


@pytest.mark.parametrize("kind", KINDS)
@given(values=st.lists(st.integers(-(1 << 500), 1 << 500), max_size=3), seed=SEEDS)
def test_the_plaintext_stays_and_the_ciphertext_does_not(
    private_key: PrivateKey, kind: str, values: list[int], seed: bytes
) -> None:
    key = private_key.public_key
    before = [key.lift(value) for value in values]
    after = blind(kind, key, before, Randomness(seed))
    assert [private_key.decrypt(c) for c in after] == [value % key.n for value in values]
    assert not set(before) & set(after)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_ciphertexts_part_ways(key: PublicKey, kind: str) -> None:
    assert len(set(blind(kind, key, [mpz(1)] * 20, Randomness(os.urandom(32))))) == 20


@given(SEEDS)
def test_towards_the_key_holder_it_is_a_uniform_nth_power(key: PublicKey, seed: bytes) -> None:
    first, second = blind("key holder", key, [mpz(1), key.lift(3)], Randomness(seed))
    stream = Randomness(seed)
    assert first == gmpy2.powmod(stream.unit(key.n), key.n, key.n_squared)
    assert second == key.lift(3) * gmpy2.powmod(stream.unit(key.n), key.n, key.n_squared) % key.n_squared


def test_every_nth_residue_is_reached() -> None:
    # A fixed base and its powers would leave residues out; for n = 35 there are φ(35) = 24.
    key = PublicKey(35)
    residues = {pow(r, 35, 35 * 35) for r in range(1, 35) if gmpy2.gcd(r, 35) == 1}
    drawn = blind("key holder", key, [mpz(1)] * 1000, Randomness(bytes(32)))
    assert len(residues) == 24
    assert {int(c) for c in drawn} == residues


@given(SEEDS)
def test_short_exponents_over_the_party_s_own_base(key: PublicKey, seed: bytes) -> None:
    (blinded,) = ShortExponentBlinder(key, BASE_SEED).blind([mpz(1)], Randomness(seed))
    assert SHORT_EXPONENT_BITS >= 2 * 128 + 192
    base = draw_base(key, Randomness(BASE_SEED))
    exponent = Randomness(seed).bits(SHORT_EXPONENT_BITS) * key.n
    assert blinded == pow(base, exponent, key.n_squared)


@given(SEEDS)
def test_a_base_is_a_unit_with_the_jacobi_symbol_minus_one(key: PublicKey, seed: bytes) -> None:
    base = draw_base(key, Randomness(seed))
    assert 0 < base < key.n
    assert gmpy2.jacobi(base, key.n) == -1


@pytest.mark.parametrize("parity", [0, 1])
def test_the_parity_of_a_coefficient_does_not_show_in_jacobi_symbols(key: PublicKey, parity: int) -> None:
    """Without blinding, or over a base like −x², the symbol of c^m is 1 for every even m and no other."""
    stream = Randomness(b"p" * 32)
    ciphertext = gmpy2.powmod(draw_base(key, stream), key.n, key.n_squared)
    powers = [gmpy2.powmod(ciphertext, 2 * index + parity, key.n_squared) for index in range(40)]
    assert {gmpy2.jacobi(power, key.n) for power in powers} == {1 - 2 * parity}
    square = gmpy2.powmod(-(stream.unit(key.n) ** 2), key.n, key.n_squared)
    leaking = [power * gmpy2.powmod(square, stream.bits(448), key.n_squared) for power in powers]
    assert {gmpy2.jacobi(power, key.n) for power in leaking} == {1 - 2 * parity}
    blinded = ShortExponentBlinder(key, BASE_SEED).blind(powers, stream)
    assert {gmpy2.jacobi(power, key.n) for power in blinded} == {1, -1}


def test_parties_have_bases_of_their_own(key: PublicKey) -> None:
    blinders = [ShortExponentBlinder(key, seed) for seed in (b"a" * 32, b"b" * 32)]
    blinded = {blinder.blind([mpz(1)], Randomness(bytes(32)))[0] for blinder in blinders}
    assert len(blinded) == 2


@given(st.binary(min_size=32, max_size=32), st.integers(0, 1 << 200))
def test_a_power_and_its_blinding_are_what_they_are_apart(key: PublicKey, seed: bytes, exponent: int) -> None:
    ciphertext = Randomness(seed).child("ciphertext").unit(key.n_squared)
    power = gmpy2.powmod(ciphertext, exponent, key.n_squared)
    (apart,) = blind("key holder", key, [power], Randomness(seed))
    together = RootedProduct([ciphertext], [exponent], 0, Randomness(seed).unit(key.n))
    assert together.ciphertext(key) == apart
