"""One random adversary, and what it is made of; `make adversaries ARGS=wild` plays a hundred."""

from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adversaries.outcome import Outcome
from tests.adversaries.wild import Wild, another, answered_twice, changed_at, must_not_be, resent, values

PLAIN = st.recursive(
    st.binary(max_size=4) | st.integers() | st.text(max_size=3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@cache
def played() -> Outcome:
    return Wild(3).play()


def test_whatever_a_party_sends_honest_ones_find_nothing_of_each_other() -> None:
    assert must_not_be(played()) == []


def test_a_second_answer_is_noticed() -> None:
    arena = played().arena
    message = next(one for one in arena.sent("proven_update") if one.envelope.sender != arena.adversary)
    other = arena.sent("proven_update")[-1].body
    arena.wire.append(resent(arena, message, other))
    assert answered_twice(arena) == ["proven_update in 2 versions"]
    arena.wire.pop()


@settings(max_examples=20)
@given(PLAIN, st.randoms(use_true_random=False))
def test_a_value_is_changed_in_one_place_alone(plain: object, random: Random) -> None:
    path, value = random.choice(list(values(plain)))
    changed = changed_at(plain, path, another(random, value, [], 15))
    assert changed_at(changed, path, value) == plain or isinstance(plain, tuple)
