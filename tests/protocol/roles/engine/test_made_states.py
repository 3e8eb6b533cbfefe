"""What was packed is found by its bytes, and nothing else; few are kept."""

from protocol.roles.engine.made_states import MadeStates


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
