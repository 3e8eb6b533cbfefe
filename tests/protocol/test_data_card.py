"""Cards: what they may say, their hash, and how much of the rows is in them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.codec import pack, unpack
from protocol.data_card import (
    MOST_CARD_BYTES,
    MOST_CARDS,
    CardColumn,
    DataCard,
    bucket_of,
    cards_digest,
    listed_cards,
    rounded_outwards,
    without_room,
)
from protocol.messages import OwnerAnnouncement, size_limit
from protocol.messages.examples import any_card

FINITE = st.floats(-1e29, 1e29)


@given(st.lists(FINITE, min_size=4, max_size=4))
def test_a_range_is_rounded_outwards_and_that_of_a_part_lies_within_that_of_the_whole(
    ends: list[float],
) -> None:
    lowest, low, high, highest = sorted(ends)
    part, whole = rounded_outwards(low, high), rounded_outwards(lowest, highest)
    for (least, most), (found_low, found_high) in (((low, high), part), ((lowest, highest), whole)):
        assert found_low <= Decimal(repr(least)) <= Decimal(repr(most)) <= found_high
    if low < high:
        assert whole[0] <= part[0] <= part[1] <= whole[1]


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 1.0, ("0", "1")),
        (19.0, 79.0, ("19", "79")),
        (18.03, 42.2, ("18", "43")),
        (0.03, 99_871.0, ("0.01", "1.00E+5")),
        (-0.137, 0.2, ("-0.14", "0.20")),
        (37.25, 37.25, ("37", "38")),
        (0.0, 0.0, ("0", "0")),
        (1e-40, 3e-40, ("0", "1E-29")),
        (0.0, 99_871.0, ("0", "1.00E+5")),
    ],
)
def test_how_ranges_are_rounded(low: float, high: float, found: tuple[str, str]) -> None:
    assert rounded_outwards(low, high) == tuple(map(Decimal, found))


@given(st.integers(1, 1 << 50))
def test_a_bucket_is_a_power_of_two(rows: int) -> None:
    assert bucket_of(rows) <= rows < 2 * bucket_of(rows)
    assert bucket_of(rows).bit_count() == 1


def test_a_card_keeps_its_hash_on_the_way() -> None:
    card = any_card()
    assert unpack(DataCard, pack(card)) == card
    assert unpack(DataCard, pack(card)).hash() == card.hash()
    assert card.model_copy(update={"purpose": "another"}).hash() != card.hash()
    assert cards_digest((card,)) != cards_digest((card, card)) != cards_digest(())


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ({"name": "a"}, "give minimum and maximum"),
        ({"name": "a", "minimum": "2", "maximum": "1"}, "minimum must not be above maximum"),
        ({"name": "a", "kind": "boolean", "minimum": "0", "maximum": "1"}, "only numbers and dates"),
        ({"name": "a", "kind": "categorical"}, "have a vocabulary"),
        ({"name": "a", "kind": "categorical", "vocabulary": ("x", "x")}, "has 'x' twice"),
        ({"name": "a", "minimum": "0", "maximum": "1", "vocabulary": ("x",)}, "have a vocabulary"),
        ({"name": "a", "minimum": "0", "maximum": "1", "unit": "k\ng"}, "printable"),
        ({"name": "a", "kind": "date", "minimum": "0", "maximum": "1e30"}, "the years 1 to 9999"),
        ({"name": "a", "kind": "date", "minimum": "-719163", "maximum": "0"}, "the years 1 to 9999"),
    ],
)
def test_a_column_that_contradicts_its_kind_is_refused(column: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        CardColumn.model_validate(column)


@pytest.mark.parametrize(
    "change",
    [{"rows_from": 100}, {"columns": ()}, {"columns": any_card().columns * 2}, {"least_pay_wei": -1}],
)
def test_a_card_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataCard.model_validate({**dict(any_card()), **change})


def test_only_listed_cards_are_announced_and_no_more_than_a_message_holds() -> None:
    card = any_card()
    names = [f"clinic-{number:03}" for number in range(MOST_CARDS + 5)]
    cards = {name: card.model_copy(update={"name": name}) for name in names}
    cards["clinic-001"] = cards["clinic-001"].model_copy(update={"listed": False})
    told = listed_cards(cards)
    assert [one.name for one in told] == [name for name in names if name != "clinic-001"][:MOST_CARDS]
    wide = tuple(
        CardColumn(name=f"{number:0>200}", minimum=Decimal(0), maximum=Decimal(1)) for number in range(600)
    )
    large = {name: card.model_copy(update={"name": name, "columns": wide}) for name in names}
    told = listed_cards(large)
    assert 0 < sum(len(one.canonical()) for one in told) <= MOST_CARD_BYTES < 10 * len(told[0].canonical())
    assert len(pack(OwnerAnnouncement(model_kinds=(), cards=told))) < size_limit("owner_announcement")


def test_a_card_that_no_announcement_has_room_for_keeps_no_other_from_being_told() -> None:
    card = any_card()
    wide = tuple(
        CardColumn(name=f"{number:0>200}", minimum=Decimal(0), maximum=Decimal(1)) for number in range(4000)
    )
    words = CardColumn(name="a", kind="categorical", vocabulary=tuple(f"{number}" for number in range(256)))
    many = tuple(words.model_copy(update={"name": f"a{number}"}) for number in range(33))
    cards = {
        name: card.model_copy(update={"name": name, "columns": columns})
        for name, columns in {"a": wide, "b": card.columns, "c": many, "d": card.columns}.items()
    }
    assert [one.name for one in listed_cards(cards)] == ["b", "d"]


def test_a_card_without_room_says_what_it_lacks() -> None:
    card = any_card()
    wide = tuple(
        CardColumn(name=f"{number:0>200}", minimum=Decimal(0), maximum=Decimal(1)) for number in range(4000)
    )
    words = CardColumn(name="a", kind="categorical", vocabulary=tuple(f"{number}" for number in range(256)))
    many = tuple(words.model_copy(update={"name": f"a{number}"}) for number in range(33))
    columns = {"a": wide, "b": card.columns, "c": many}
    cards = {
        name: card.model_copy(update={"name": name, "columns": found}) for name, found in columns.items()
    }
    cards |= {f"d{number:02}": card.model_copy(update={"name": f"d{number:02}"}) for number in range(64)}
    cards["e"] = card.model_copy(update={"name": "e", "listed": False})
    size = len(cards["a"].canonical())
    assert without_room(cards) == {
        "a": f"of the 524288 bytes of an announcement 524288 are left, and it needs {size}",
        "c": "of the 8192 words of an announcement 8192 are left, and it needs 8448",
        "d63": "of the 64 cards of an announcement 0 are left, and it needs 1",
    }
    told = {one.name for one in listed_cards(cards)}
    assert told == cards.keys() - without_room(cards).keys() - {"e"}
