"""Products with n-th powers, made and checked, against Python's own powers."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.powers import PowerTables
from protocol.crypto.randomness import Randomness
from protocol.crypto.rooted import RootedClaim, RootedProduct, all_hold
from tests.support.product_count import ProductCount

EXPONENTS = st.one_of(
    st.integers(-3, 3), st.integers(-(1 << 70), 1 << 70), st.integers(0, 400).map(lambda k: 1 << k)
)
SHAPES = st.lists(st.tuples(st.lists(EXPONENTS, max_size=4), st.integers(-(1 << 90), 1 << 90)), max_size=4)


def plain_power(key: PublicKey, product: RootedProduct) -> int:
    """By definition."""
    modulus = int(key.n_squared)
    powers = (pow(int(b), int(x), modulus) for b, x in zip(product.bases, product.exponents, strict=True))
    lifted = pow(1 + int(key.n), product.plain, modulus)
    return prod(powers) * lifted * pow(int(product.root), int(key.n), modulus) % modulus


def claims_of(key: PublicKey, shapes: Sequence[tuple[list[int], int]], seed: bytes) -> list[RootedClaim]:
    stream = Randomness(seed)
    products = [
        RootedProduct([stream.unit(key.n_squared) for _ in exponents], exponents, plain, stream.unit(key.n))
        for exponents, plain in shapes
    ]
    return [RootedClaim(one.ciphertext(key), one) for one in products]


@settings(max_examples=12)
@given(SHAPES, st.binary(min_size=32, max_size=32))
def test_what_is_made_is_the_product_by_definition_and_holds(key: PublicKey, shapes, seed: bytes) -> None:
    claims = claims_of(key, shapes, seed)
    assert [one.ciphertext for one in claims] == [plain_power(key, one.product) for one in claims]
    assert all_hold(key, claims)


@settings(max_examples=8)
@given(SHAPES, st.binary(min_size=32, max_size=32), st.integers(2, 6))
def test_tables_that_are_kept_change_nothing(key: PublicKey, shapes, seed: bytes, window: int) -> None:
    claims = claims_of(key, shapes, seed)
    for claim in claims:
        tables = PowerTables(claim.product.bases, key.n_squared, window)
        kept = replace(claim, product=replace(claim.product, tables=tables))
        assert kept.product.ciphertext(key) == claim.ciphertext
        assert all_hold(key, [*claims, kept])
        wrong = replace(kept, ciphertext=kept.ciphertext * key.lift(1) % key.n_squared)
        assert not all_hold(key, [*claims, wrong])


@settings(max_examples=12)
@given(SHAPES.filter(bool), st.binary(min_size=32, max_size=32), st.data())
def test_one_false_claim_among_many_does_not_hold(
    key: PublicKey, shapes, seed: bytes, data: st.DataObject
) -> None:
    claims = claims_of(key, shapes, seed)
    place = data.draw(st.integers(0, len(claims) - 1))
    claim, product = claims[place], claims[place].product
    false = data.draw(
        st.sampled_from(
            [
                replace(
                    claim,
                    ciphertext=claim.ciphertext * key.lift(data.draw(st.integers(1, 99))) % key.n_squared,
                ),
                replace(claim, ciphertext=claim.ciphertext * 2 % key.n_squared),
                replace(claim, product=replace(product, plain=product.plain + 1)),
                replace(claim, product=replace(product, root=product.root * 3 % key.n)),
            ]
        )
    )
    assert not all_hold(key, [*claims[:place], false, *claims[place + 1 :]])


def test_errors_that_would_cancel_under_equal_weights_do_not(key: PublicKey) -> None:
    claims = claims_of(key, [([5], 1), ([7], 2), ([], 3)], b"c" * 32)
    for by in ((1, -1, 0), (0, 4, -4), (1, 1, -2), (-2, 1, 1)):
        moved = [
            replace(one, ciphertext=one.ciphertext * key.lift(d) % key.n_squared)
            for one, d in zip(claims, by, strict=True)
        ]
        assert not all_hold(key, moved)


def test_minus_one_passes_whatever_the_weights_so_that_everybody_finds_the_same(
    private_key: PrivateKey,
) -> None:
    key = private_key.public_key
    claims = claims_of(key, [([5], 1), ([7], 2)], b"m" * 32)
    for place in (0, 1):
        turned = [*claims]
        turned[place] = replace(claims[place], ciphertext=key.n_squared - claims[place].ciphertext)
        assert all_hold(key, turned)
        assert private_key.decrypt(turned[place].ciphertext) == private_key.decrypt(claims[place].ciphertext)


def test_what_is_no_unit_makes_nothing_hold(private_key: PrivateKey) -> None:
    key = private_key.public_key
    claim = claims_of(key, [([], 1)], b"u" * 32)[0]
    for root in (mpz(0), key.n, private_key.p, -claim.product.root, None):
        assert not all_hold(key, [replace(claim, product=replace(claim.product, root=root))])
    for number in (mpz(0), key.n, key.n_squared, private_key.q, claim.ciphertext + key.n_squared):
        assert not all_hold(key, [replace(claim, ciphertext=number)])


def test_nothing_is_claimed_and_holds(key: PublicKey) -> None:
    assert all_hold(key, [])


def test_many_are_checked_in_the_squarings_of_one(monkeypatch: pytest.MonkeyPatch, key: PublicKey) -> None:
    claims = claims_of(key, [([1 << 64 * k for k in range(5)], 9)] * 6, b"s" * 32)
    count = ProductCount()
    count.install(monkeypatch)
    assert all_hold(key, claims)
    bits = key.n_squared.bit_length()
    together = count.products[bits]
    for claim in claims:
        assert claim.product.ciphertext(key) == claim.ciphertext
    assert together < (count.products[bits] - together) / 1.5


def test_repr_shows_nothing(key: PublicKey) -> None:
    claim = claims_of(key, [([12345], 67890)], b"r" * 32)[0]
    assert "12345" not in repr(claim)
    assert "67890" not in repr(claim)
