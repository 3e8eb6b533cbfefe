"""What a node answers is read by its form, or is no answer."""

import pytest

from services.chain.errors import ChainUnavailable
from services.chain.rpc.values import entries, entry, octets, quantity
from tests.support.chain.wrong_values import WRONG_VALUES


@pytest.mark.parametrize("value", WRONG_VALUES, ids=lambda value: repr(value)[:20])
def test_what_is_no_number(value) -> None:
    with pytest.raises(ChainUnavailable, match="where a number below") as caught:
        quantity(value)
    assert len(str(caught.value)) < 250


def test_numbers_have_a_bound() -> None:
    assert quantity("0x" + "f" * 64) == 2**256 - 1
    assert quantity("0x7f", 7) == 127
    for value, bits in (("0x1" + "0" * 64, 256), ("0x80", 7)):
        with pytest.raises(ChainUnavailable):
            quantity(value, bits)


@pytest.mark.parametrize(
    "value", [value for value in WRONG_VALUES if value != "0x"] + ["0x1"], ids=lambda v: repr(v)[:20]
)
def test_what_is_no_data(value) -> None:
    with pytest.raises(ChainUnavailable, match="where data is due"):
        octets(value)


def test_data_has_its_length() -> None:
    assert octets("0x") == b""
    assert octets("0xAb01", 2) == b"\xab\x01"
    with pytest.raises(ChainUnavailable, match="0xAb where 2 bytes is due"):
        octets("0xAb", 2)


@pytest.mark.parametrize("value", [None, 1, "x", {}, [1], [None], [[]]], ids=repr)
def test_what_is_no_object_or_list_of_them(value) -> None:
    with pytest.raises(ChainUnavailable):
        entries(value)
    if value != {}:
        with pytest.raises(ChainUnavailable):
            entry(value)


def test_what_is_shown_of_an_answer_is_printable() -> None:
    with pytest.raises(ChainUnavailable) as caught:
        quantity("\x1b[31m\n" * 100)
    assert str(caught.value).isprintable()
