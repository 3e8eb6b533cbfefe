"""Attempts follow each other, and what is said when none is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.learning.judgement.members import MAXIMUM_ATTEMPTS, checkers
from protocol.roles.aggregator.rounds.evidence import is_the_buyers_silence
from protocol.types import mask_of


def stuck(validators: int, draw: bytes, attempts: range = range(MAXIMUM_ATTEMPTS)) -> list[int]:
    """The masks of those who check these attempts at a round."""
    return [mask_of(checkers(range(validators), draw, 1, attempt)) for attempt in attempts]


@given(st.integers(3, 20), st.binary(min_size=32, max_size=32))
def test_three_or_more_validators_have_no_checker_in_all_attempts(validators: int, draw: bytes) -> None:
    assert is_the_buyers_silence(stuck(validators, draw))


@given(st.integers(3, 20), st.binary(min_size=32, max_size=32), st.integers(0, 19))
def test_no_silent_checker_has_the_buyer_named(validators: int, draw: bytes, silent: int) -> None:
    lost = [mask for mask in stuck(validators, draw) if mask >> silent & 1]
    assert not is_the_buyers_silence(lost)


@pytest.mark.parametrize("attempts", range(MAXIMUM_ATTEMPTS + 1))
def test_of_two_validators_nobody_is_named(attempts: int) -> None:
    assert not is_the_buyers_silence(stuck(2, b"\1" * 32, range(attempts)))
