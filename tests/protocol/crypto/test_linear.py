"""Linear combinations of ciphertexts against Python integers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.linear import Combination, combined
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.powers import PowerTables
from protocol.crypto.randomness import Randomness

STREAM = Randomness(bytes(32))
COEFFICIENTS = st.one_of(
    st.just(0), st.integers(-10, 10), st.integers(-(1 << 41), 1 << 41), st.integers(-(1 << 600), 1 << 600)
)


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    columns = draw(st.integers(1, 5))
    row = st.lists(COEFFICIENTS, min_size=columns, max_size=columns)
    values = st.lists(st.integers(-(1 << 300), 1 << 300), min_size=columns, max_size=columns)
    return draw(st.lists(row, min_size=1, max_size=4)), draw(values)


def expected_plaintexts(rows: list[list[int]], values: list[int]) -> list[int]:
    return [sum(a * x for a, x in zip(row, values, strict=True)) for row in rows]


@given(systems())
def test_combinations_are_those_of_the_plaintexts(
    private_key: PrivateKey, system: tuple[list[list[int]], list[int]]
) -> None:
    rows, values = system
    key = private_key.public_key
    ciphertexts = [private_key.encrypt(value, STREAM) for value in values]
    combined = rows_of_powers(ciphertexts, rows, key.n_squared)
    decrypted = [private_key.decrypt(c) for c in combined]
    assert decrypted == [total % key.n for total in expected_plaintexts(rows, values)]


@given(systems())
def test_combinations_are_products_of_powers(
    private_key: PrivateKey, system: tuple[list[list[int]], list[int]]
) -> None:
    rows, values = system
    key = private_key.public_key
    ciphertexts = [private_key.encrypt(value, STREAM) for value in values]
    modulus = int(key.n_squared)
    for row, result in zip(rows, rows_of_powers(ciphertexts, rows, key.n_squared), strict=True):
        product = 1
        for c, a in zip(ciphertexts, row, strict=True):
            product = product * pow(int(c), a, modulus) % modulus
        assert result == product


@pytest.mark.parametrize("rows", [40, 200])
@pytest.mark.parametrize("bits", [2, 41, 256])
def test_wide_windows(private_key: PrivateKey, rows: int, bits: int) -> None:
    # Many rows pay for larger tables, hence wider windows than the small systems above take.
    stream = Randomness(rows.to_bytes(32, "big"))
    matrix = [[stream.bits(bits) - (1 << (bits - 1)) for _ in range(2)] for _ in range(rows)]
    values = [5, -(1 << 200)]
    key = private_key.public_key
    combined = rows_of_powers([private_key.encrypt(value, stream) for value in values], matrix, key.n_squared)
    decrypted = [private_key.decrypt(c) for c in combined]
    assert decrypted == [total % key.n for total in expected_plaintexts(matrix, values)]


def test_rows_of_zeros_are_the_trivial_ciphertext(private_key: PrivateKey) -> None:
    key = private_key.public_key
    ciphertexts = [private_key.encrypt(value, STREAM) for value in (3, 4)]
    assert rows_of_powers(ciphertexts, [[0, 0], [0, 0]], key.n_squared) == [1, 1]
    mixed = rows_of_powers(ciphertexts, [[0, 0], [-1, 0], [0, 1]], key.n_squared)
    assert [key.signed(private_key.decrypt(c)) for c in mixed] == [0, -3, 4]
    assert rows_of_powers(ciphertexts, [], key.n_squared) == []


@given(st.lists(st.integers(-(1 << 90), 1 << 90), min_size=4, max_size=4), st.integers(-(1 << 90), 1 << 90))
def test_combinations_are_multiplied_together_to_the_same_ciphertext(
    private_key: PrivateKey, exponents: list[int], plain: int
) -> None:
    key = private_key.public_key
    bases = [private_key.encrypt(value, STREAM) for value in (3, -5, 8, 1)]
    parts = [
        Combination(PowerTables(bases[at : at + 2], key.n_squared, 3), exponents[at : at + 2], plain)
        for at in (0, 2)
    ]
    expected = rows_of_powers(bases, [exponents], key.n_squared)[0] * key.lift(2 * plain) % key.n_squared
    assert combined(key, parts) == expected
