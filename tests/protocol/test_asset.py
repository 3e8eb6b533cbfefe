"""Amounts as people write and read them, and as everything inside counts them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.asset import ETHER, LARGEST_WHOLE, MARKET_ASSET, Asset
from protocol.errors import MisuseError

CENTS = Asset(symbol="TOK", name="tokens", smallest="cents", decimals=2)
AMOUNTS = st.integers(0, (1 << 256) - 1)
ASSETS = st.sampled_from([ETHER, CENTS, Asset(symbol="X", name="x", smallest="x", decimals=0)])


@given(AMOUNTS, ASSETS)
def test_what_is_written_is_exact(amount: int, asset: Asset) -> None:
    assert (
        asset.decimal(amount) * asset.whole == amount or amount >= 10**28
    )  # Decimal's own arithmetic rounds
    assert Decimal(asset.plain(amount)) == asset.decimal(amount)


@given(st.data(), ASSETS)
def test_what_is_written_is_read_again(data: st.DataObject, asset: Asset) -> None:
    amount = data.draw(st.integers(0, LARGEST_WHOLE * asset.whole))
    assert asset.parse(asset.plain(amount)) == amount
    assert asset.parse_exact(asset.exact(amount).removesuffix(f" {asset.smallest}")) == amount
    for text in (asset.shown(amount), asset.exact(amount)):
        assert asset.parse(text) == asset.parse_exact(text.upper()) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 10**18),
        (" 1.5 ", 15 * 10**17),
        ("1,5", 15 * 10**17),
        ("0.000000000000000001", 1),
        ("1e-18", 1),
        ("1.5000000000000000000000", 15 * 10**17),
        ("0", 0),
        ("0.1 ETH", 10**17),
        ("0,1eth", 10**17),
        (" 2 Ether ", 2 * 10**18),
        ("5 gwei", 5 * 10**9),
        ("0.5GWEI", 5 * 10**8),
        ("100 wei", 100),
        ("1e3 wei", 1000),
        ("1e-9eth", 10**9),
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


@pytest.mark.parametrize("text", ["1,500", "-1,500", "250,000 ETH", "1,125 gwei"])
def test_a_comma_that_may_be_one_of_thousands_is_refused(text: str) -> None:
    for parse in (ETHER.parse, ETHER.parse_exact):
        with pytest.raises(MisuseError, match="a comma before three digits may mean thousands"):
            parse(text)


@pytest.mark.parametrize(("text", "amount"), [("0,125", 125), ("1,5", 1500), ("1,25", 1250), ("1.500", 1500)])
def test_any_other_comma_is_a_decimal_one(text: str, amount: int) -> None:
    assert ETHER.parse(f"{text} ETH") == amount * 10**15


@pytest.mark.parametrize("text", ["-2", "-0.1 ETH", "1000000001", "1000000000.1 eth", "1e27 gwei"])
def test_amounts_are_bounded(text: str) -> None:
    with pytest.raises(MisuseError, match=f"'{text}' is not between 0 and 1000000000 ETH"):
        ETHER.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.1 btc",
        "1.5 wei",
        "1,000 wei",
        "1.000 wei",
        "0.0000000001 gwei",
        "eth",
        "1 e",
        "1 ETH 2",
        "1 ＥＴＨ",
    ],
)
def test_other_units_and_parts_of_the_smallest_are_refused(text: str) -> None:
    for parse in (ETHER.parse, ETHER.parse_exact):
        with pytest.raises(MisuseError, match=r"0\.1 ETH, 5 gwei, 100 wei"):
            parse(text)


@pytest.mark.parametrize("text", ["", "1.5", "-1", "1e18", "٣"])
def test_a_number_alone_of_smallest_units_is_digits(text: str) -> None:
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
