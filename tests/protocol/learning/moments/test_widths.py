"""Slots of products: enough bits, none twice, and a refusal where three do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import WidthError
from protocol.learning.moments.widths import MomentWidths, Start, pairs


def widths(key_bits: int = 3072, trainers: int = 3, weights: int = 1 << 24) -> MomentWidths:
    return MomentWidths.fit(
        key_bits=key_bits, parameters=11, trainers=trainers, weights=weights, weight_bits=24, residual_bits=3
    )


def test_as_many_slots_as_the_protocol_counts_on() -> None:
    long, short = widths(), widths(2048)
    assert long.products.slot_bits == long.bound_bits + 33 == 339
    assert (long.products.per_plaintext, short.products.per_plaintext) == (9, 6)
    assert [len(one.sets(3, Start.PUBLIC)) for one in (long, short)] == [1, 2]
    assert long.request.slot_bits == 104 + 24 + 1 + 64


@given(st.integers(2, 40), st.sampled_from(Start), st.sampled_from([1280, 2048, 3072]))
def test_every_vector_has_slots_of_its_own(trainers: int, start: Start, key_bits: int) -> None:
    layout = widths(key_bits, trainers, 1000)
    sets = layout.sets(trainers, start)
    placed = []
    for one in sets:
        slots = [0] if one.public_start else []
        slots += [slot for m in one.members for slot in (m.own, m.cross) if slot is not None]
        assert slots == list(range(one.slots))
        assert one.slots <= layout.products.per_plaintext
        assert layout.offset(one) < 1 << (key_bits - 2)
        placed += [member.vector for member in one.members]
    assert [one.public_start for one in sets].count(True) == (start is Start.PUBLIC)
    assert sorted(placed) == list(range(trainers + (start is Start.ENCRYPTED)))
    assert [m for one in sets for m in one.members if m.cross is None] == (
        [(trainers, 0, None)] if start is Start.ENCRYPTED else []
    )


@given(st.data())
def test_values_come_out_of_their_slots(data: st.DataObject) -> None:
    layout = widths()
    one = layout.sets(3, Start.PUBLIC)[0]
    limit = 1 << layout.bound_bits
    values = [data.draw(st.integers(-limit, limit)) for _ in range(one.slots)]
    plaintext = sum(layout.at(slot, value) for slot, value in enumerate(values)) + layout.offset(one)
    assert layout.values(one, plaintext) == [*values, 0]
    assert layout.values(one, plaintext + layout.at(one.slots, 5))[-1] == 5


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(WidthError, match="339 bits, three of them more than a key of 1018"):
        widths(1018)
    assert widths(1019).products.per_plaintext == 3
    with pytest.raises(WidthError, match="at least 2 and 1"):
        widths(trainers=1)
    with pytest.raises(WidthError, match="at least 2 and 1"):
        widths(weights=0)


def test_pairs_are_the_triangle_row_by_row() -> None:
    assert pairs(3) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
