"""Amounts as people write and read them, and as everything inside counts them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.asset import ETHER, MARKET_ASSET, Asset
from protocol.errors import MisuseError

CENTS = Asset(symbol="TOK", name="tokens", smallest="cents", decimals=2)
AMOUNTS = st.integers(0, (1 << 256) - 1)


@given(AMOUNTS, st.sampled_from([ETHER, CENTS, Asset(symbol="X", name="x", smallest="x", decimals=0)]))
def test_what_is_written_is_read_again(amount: int, asset: Asset) -> None:
    assert asset.parse(asset.plain(amount)) == amount
    assert (
        asset.decimal(amount) * asset.whole == amount or amount >= 10**28
    )  # Decimal's own arithmetic rounds
    assert asset.parse_exact(asset.exact(amount).removesuffix(f" {asset.smallest}")) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 10**18),
        (" 1.5 ", 15 * 10**17),
        ("1,5", 15 * 10**17),
        ("0.000000000000000001", 1),
        ("1e-18", 1),
        ("1.5000000000000000000000", 15 * 10**17),
        ("-2", -2 * 10**18),
        ("0", 0),
    ],
)
def test_amounts_are_read_exactly(text: str, amount: int) -> None:
    assert ETHER.parse(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "one", "1.0000000000000000001", "1,000.5", "1,0,0", "nan", "inf", "1e81", "1e999999999", "9" * 200],
)
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(MisuseError, match="is not an amount of ether with at most 18 decimals"):
        ETHER.parse(text)


@pytest.mark.parametrize("text", ["", "1.5", "-1", "1e18", "٣"])
def test_smallest_units_are_digits(text: str) -> None:
    with pytest.raises(MisuseError, match="is not a whole number of wei, such as 1000000000000000000"):
        ETHER.parse_exact(text)


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1, "0.01"), (150, "1.5"), (100_000, "1000"), (-150, "-1.5")]
)
def test_amounts_are_shown_without_exponent_or_needless_zeros(amount: int, text: str) -> None:
    assert CENTS.plain(amount) == text
    assert CENTS.decimal(amount) == Decimal(text)


def test_the_market_takes_ether() -> None:
    assert MARKET_ASSET.whole == 10**18
    assert MARKET_ASSET.exact(5) == "5 wei"
