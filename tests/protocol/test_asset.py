"""Amounts as people write and read them, and as everything inside counts them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.asset import ETHER, LARGEST, MARKET_ASSET, NO_TOKENS, Asset, Assets, token_asset
from protocol.errors import MisuseError
from protocol.types import ZERO_ADDRESS

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
    amount = data.draw(st.integers(0, asset.largest))
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


TOKEN = "0x" + "70" * 20


def test_a_token_is_what_a_configuration_says_and_else_its_smallest_units() -> None:
    assets = Assets({TOKEN: token_asset("USDC.e", 6)})
    known, unknown = assets.of(TOKEN), NO_TOKENS.of(TOKEN)
    assert (known.shown(1_500_000), known.exact(5)) == ("1.5 USDC.e", "5 units of USDC.e")
    assert known.parse("1.5 usdc.e") == known.parse_exact("1500000 units of USDC.e") == 1_500_000
    assert unknown.shown(1_500_000) == unknown.exact(1_500_000) == f"1500000 units of token {TOKEN}"
    assert unknown.parse("7") == unknown.parse_exact("7") == 7
    assert (assets.is_known(TOKEN), NO_TOKENS.is_known(TOKEN)) == (True, False)
    assert assets.of(ZERO_ADDRESS) == NO_TOKENS.of(ZERO_ADDRESS) == MARKET_ASSET
    with pytest.raises(MisuseError, match="is not a whole number of units of token"):
        unknown.parse_exact("1.5")


@pytest.mark.parametrize("symbol", ["eth", "WEI", "Gwei", "ether"])
def test_no_token_goes_by_a_unit_of_the_chains_own_coin(symbol: str) -> None:
    with pytest.raises(MisuseError, match="is a unit of ether"):
        token_asset(symbol, 6)


def test_the_market_takes_ether() -> None:
    assert MARKET_ASSET.whole == 10**18
    assert MARKET_ASSET.exact(5) == "5 wei"


@pytest.mark.parametrize("asset", [NO_TOKENS.of("0x" + "71" * 20), token_asset("CHEAP", 18)])
def test_of_a_token_as_much_can_be_written_as_a_deposit_may_be(asset: Asset) -> None:
    """A token that nobody configured counts smallest units, and of some there are many."""
    assert asset.parse_exact(str(LARGEST)) == asset.parse(asset.plain(LARGEST)) == LARGEST
    with pytest.raises(MisuseError, match="is not between 0 and"):
        asset.parse_exact(str(LARGEST + 1))
