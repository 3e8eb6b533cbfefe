"""Errors that say whose fault it was and survive the trip out of a worker process."""

import pickle

import pytest

from protocol.errors import DeltaMLError, MisuseError, ProtocolViolation, TrainingFailure, WidthError


@pytest.mark.parametrize(
    "error",
    [
        ProtocolViolation("bad_key", "even"),
        ProtocolViolation("bad_key"),
        TrainingFailure("silent", "0x" + "0" * 40),
        TrainingFailure("silent"),
        MisuseError("too wide"),
        WidthError("too wide"),
    ],
)
def test_errors_survive_pickling(error: DeltaMLError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_the_text_of_a_violation_begins_with_its_code() -> None:
    assert str(ProtocolViolation("bad_key", "even")) == "bad_key: even"
    assert str(ProtocolViolation("bad_key")) == "bad_key"


def test_our_own_mistakes_are_value_errors_and_a_peer_s_are_not() -> None:
    assert issubclass(WidthError, MisuseError)
    assert issubclass(MisuseError, ValueError)
    assert not issubclass(ProtocolViolation, ValueError)
