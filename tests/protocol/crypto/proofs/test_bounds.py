"""Honest responses lie within their bounds whatever is drawn; what lies outside is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.proofs.bounds import (
    CHALLENGE_BITS,
    SLACK_BITS,
    Bound,
    WitnessBounds,
    require_responses,
)
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation

LIMITS = st.integers(1, 1 << 300)


def accepted(response: object, bound: Bound) -> bool:
    try:
        require_responses((response,), [bound], "bad_proof")
    except ProtocolViolation:
        return False
    return True


@given(LIMITS, st.booleans())
def test_the_bounds_are_those_of_the_protocol(limit: int, signed: bool) -> None:
    bound, least, most = Bound(limit, signed), -limit << 128, (limit << 192) + (limit << 128)
    assert [accepted(one, bound) for one in (least, least + 1)] == [False, signed]
    assert [accepted(one, bound) for one in (-1, 0, 1)] == [signed, True, True]
    assert [accepted(one, bound) for one in (most - 1, most)] == [True, False]


@given(LIMITS, st.booleans(), st.data())
def test_every_honest_response_is_accepted(limit: int, signed: bool, data: st.DataObject) -> None:
    bound = Bound(limit, signed)
    ends = (-limit if signed else 0, limit)
    witness = data.draw(st.one_of(st.sampled_from(ends), st.integers(*ends)))
    last = (1 << CHALLENGE_BITS) - 1
    challenge = data.draw(st.one_of(st.sampled_from((0, last)), st.integers(0, last)))
    for mask in (0, (limit << (CHALLENGE_BITS + SLACK_BITS)) - 1):
        response = mask + challenge * witness
        assert accepted(response, bound)
        assert int.from_bytes(response.to_bytes(bound.length, "big", signed=True), signed=True) == response


@given(LIMITS)
def test_a_mask_is_wider_than_what_it_hides_by_64_bits(limit: int) -> None:
    stream = Randomness(b"m" * 32)
    drawn = [Bound(limit).draw_mask(stream) for _ in range(20)]
    assert all(0 <= mask < limit << 192 for mask in drawn)
    assert max(drawn) > limit << 188


@pytest.mark.parametrize("bad", [None, "1", b"\1", 1.0, True, [1], 1 << 9000, -(1 << 9000)])
def test_what_is_no_integer_in_its_bound_is_refused(bad: object) -> None:
    assert not accepted(bad, Bound(5))


@pytest.mark.parametrize("responses", [(), (1,), (1, 1, 1), [1, 1], None, 7])
def test_another_number_of_responses_is_refused(responses) -> None:
    with pytest.raises(ProtocolViolation, match="bad_proof"):
        require_responses(responses, [Bound(5)] * 2, "bad_proof")


def test_a_witness_of_sums_is_bounded_by_what_is_summed() -> None:
    alone, folded = (WitnessBounds.of([3, 5], RSA_2048, 448, folded=count) for count in (0, 7))
    assert [bound.limit for bound in alone.values] == [3, 5]
    assert [bound.limit for bound in WitnessBounds.of([3, 5], RSA_2048, 448, folded=1).values] == [
        3 << 128,
        5 << 128,
    ]
    assert [bound.limit for bound in folded.values] == [3 * 7 << 128, 5 * 7 << 128]
    assert folded.hiding == Bound(7 << (128 + 2176), signed=False)
    assert folded.exponent == Bound(7 << (128 + 448), signed=False)
    assert alone.all(sets=2) == (*alone.values, alone.hiding, alone.exponent, alone.exponent)
