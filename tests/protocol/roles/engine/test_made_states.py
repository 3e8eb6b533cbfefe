"""What was packed is found by its bytes, and nothing else; few are kept."""

from protocol.codec import pack
from protocol.roles.engine.made_states import MadeStates, PackedOnce
from tests.support.deployment.documents import any_request


def made(**limits):
    return MadeStates[str](**{"most": 2, "most_bytes": 10, **limits})


def test_a_state_is_found_by_its_bytes_alone():
    states = made()
    states.keep(b"one", "first")
    assert states.find(bytes(bytearray(b"one"))) == "first"
    assert states.find(b"onf") is None


def test_the_one_not_used_for_longest_is_forgotten_first():
    states = made()
    states.keep(b"one", "first")
    states.keep(b"two", "second")
    states.find(b"one")
    states.keep(b"three", "third")
    assert [states.find(content) for content in (b"one", b"two", b"three")] == ["first", None, "third"]


def test_no_more_bytes_are_kept_than_allowed():
    states = made(most=100)
    states.keep(b"x" * 11, "too long")
    assert states.find(b"x" * 11) is None
    for number in range(5):
        states.keep(b"%4d" % number, str(number))
    states.keep(b"   4", "4")
    assert [states.find(b"%4d" % number) for number in range(5)] == [None, None, None, "3", "4"]


def test_a_value_is_packed_once():
    packed, request = PackedOnce(2), any_request()
    content = packed.of(request)
    assert content == pack(request)
    assert packed.of(request) is content


def test_an_equal_value_is_another_one():
    packed = PackedOnce(2)
    assert packed.of(any_request()) is not packed.of(any_request())


def test_of_many_values_each_has_its_own_bytes():
    packed = PackedOnce(2)
    for number in range(50):  # each is gone when the next one is made, perhaps at the same place
        request = any_request(name=f"number {number}")
        assert packed.of(request) == pack(request)
