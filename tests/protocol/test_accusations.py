"""What is shown to the contract of a signed opening, and the powers by which it is checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.accusations import SignedOpening, is_checkable, modulus_bytes
from protocol.records import Market

MARKET = Market(chain_id=1, contract="0x" + "11" * 20)


def opening(n: int, root: int = 3) -> SignedOpening:
    return SignedOpening.of(7, 2, n=n, ciphertext=n * n - 1, plaintext=n - 1, root=root)


@pytest.mark.parametrize(
    ("bits", "size"), [(256, 64), (512, 64), (513, 96), (2048, 256), (3072, 384), (4096, 512)]
)
def test_numbers_take_whole_words(bits: int, size: int) -> None:
    n = (1 << bits) - 1
    assert modulus_bytes(n) == size
    assert len(opening(n).ciphertext) == 2 * size
    assert is_checkable(n)


def test_the_contract_checks_moduli_up_to_4096_bits() -> None:
    assert not is_checkable(1 << 4096)


@given(st.integers(1, 2**700).map(lambda number: 2 * number + 1), st.integers(1, 2**600))
def test_step_after_step_the_power_becomes_the_nth(n: int, root: int) -> None:
    shown = opening(n, root % n or 1)
    base, square = int.from_bytes(shown.root, "big"), n * n
    power = 1
    for done in range(1, shown.steps + 1):
        digit = int.from_bytes(shown.modulus[16 * (done - 1) : 16 * done], "big")
        power = pow(power, 1 << 128, square) * pow(base, digit, square) % square
        assert shown.power_after(done) == power.to_bytes(len(shown.ciphertext), "big")
    assert power == pow(base, n, square)
    assert shown.power_after(0) == b""


def test_every_field_is_signed() -> None:
    usual = {"training": 7, "round_number": 2, "n": 99, "ciphertext": 5, "plaintext": 6, "root": 8}
    digests = {
        SignedOpening.of(**{**usual, **change}).digest(MARKET)
        for change in (
            {},
            {"training": 8},
            {"round_number": 3},
            {"n": 101},
            {"ciphertext": 6},
            {"plaintext": 7},
            {"root": 9},
        )
    }
    assert len(digests) == 7
    assert opening(99).digest(MARKET) != opening(99).digest(MARKET.model_copy(update={"chain_id": 2}))


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OverflowError):
        SignedOpening.of(7, 2, n=99, ciphertext=1 << 2000, plaintext=6, root=8)
