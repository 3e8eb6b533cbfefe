"""The value types under every message."""

import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.codec import pack, unpack
from protocol.types import Address, BigInteger, Code, FrozenModel, Name, Seats, digest_of, mask_of, seats_of


class Holder(FrozenModel):
    number: BigInteger = 0
    seats: Seats = 0


class Texts(FrozenModel):
    address: Address = "0x" + "0" * 40
    code: Code = "code"
    name: Name = "name"


@given(st.integers(-(1 << 4000), 1 << 4000), st.integers(0, (1 << 256) - 1))
def test_integers_of_any_size_survive_the_wire(number: int, seats: int) -> None:
    value = Holder(number=number, seats=seats)
    assert unpack(Holder, pack(value)) == value


@pytest.mark.parametrize("number", [0, 127, 128, 255, 256, -1, -128, -129, 1 << 63, -(1 << 63), 1 << 64])
def test_the_edges_of_two_s_complement(number: int) -> None:
    assert unpack(Holder, pack(Holder(number=number))).number == number


def test_integers_of_the_number_library_become_plain() -> None:
    holder = Holder(number=mpz(5))
    assert type(holder.number) is int


@pytest.mark.parametrize("number", ["5", 5.0, True, None])
def test_nothing_else_passes_for_an_integer(number: object) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"number": number})


@pytest.mark.parametrize("seats", [-1, 1 << 256])
def test_seats_fit_a_word_of_the_contract(seats: int) -> None:
    with pytest.raises(ValidationError):
        Holder(seats=seats)


@given(st.sets(st.integers(0, 255)))
def test_seats_and_masks(seats: set[int]) -> None:
    assert seats_of(mask_of(list(seats))) == sorted(seats)


def test_a_seat_twice_counts_once() -> None:
    assert mask_of([3, 3, 0]) == 0b1001


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "0x" + "A" * 40),
        ("address", "0x" + "a" * 39),
        ("address", "a" * 42),
        ("address", "0x" + "a" * 40 + "\n"),
        ("code", "Upper"),
        ("code", "a-b"),
        ("code", ""),
        ("code", "a" * 65),
        ("code", "a\n"),
        ("name", ""),
        ("name", "a" * 201),
        ("name", "two\nlines"),
        ("name", "\x1b[31mred"),
        ("name", "\u202eright to left"),
    ],
)
def test_texts_that_could_deceive_a_reader_are_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Texts.model_validate({field: value})


@given(st.lists(st.binary(max_size=12), max_size=4), st.lists(st.binary(max_size=12), max_size=4))
def test_other_parts_have_another_digest(first: list[bytes], second: list[bytes]) -> None:
    assert (digest_of(*first) == digest_of(*second)) == (first == second)


def test_the_border_between_parts_counts() -> None:
    assert (
        len({digest_of(b"ab", b"c"), digest_of(b"a", b"bc"), digest_of(b"abc"), digest_of(b"abc", b"")}) == 4
    )


def test_values_are_frozen_and_closed() -> None:
    holder = Holder()
    with pytest.raises(ValidationError):
        holder.number = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Holder.model_validate({"extra": 1})


def test_errors_do_not_show_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Texts.model_validate({"code": "SECRET"})
    assert "SECRET" not in str(caught.value)
