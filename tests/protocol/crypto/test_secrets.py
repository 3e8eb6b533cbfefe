"""What serves once cannot serve twice, and is not seen."""

import copy
import logging
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError


@dataclass
class Holder:
    mask: OneUse[int]


def test_it_is_taken_once() -> None:
    secret = OneUse(71077345)
    assert secret.take() == 71077345
    with pytest.raises(MisuseError, match="draw a fresh one"):
        secret.take()


@pytest.mark.parametrize("line", range(4))
def test_another_thread_takes_it_or_leaves_it(line: int) -> None:
    """The other one comes in between two lines of `take`."""
    secret, taken = OneUse(71077345), list[int]()
    lines = iter(range(99))

    def between(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code is OneUse.take.__code__ and event == "line" and next(lines) == line:
            take()
        return between

    def take() -> None:
        with suppress(MisuseError):
            taken.append(secret.take())

    before = sys.gettrace()
    sys.settrace(between)
    try:
        take()
    finally:
        sys.settrace(before)
    assert taken == [71077345]


def test_it_is_not_seen(caplog: pytest.LogCaptureFixture) -> None:
    secret = OneUse(71077345)
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("drawn: %s %r", secret, Holder(secret))
    with pytest.raises(MisuseError) as refused:
        pickle.dumps(secret)
    for text in (repr(secret), str(secret), f"{secret}", caplog.text, repr([secret]), str(refused.value)):
        assert "71077345" not in text
    before = repr(secret)
    secret.take()
    assert repr(secret) == before


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_there_is_no_second_one(duplicate) -> None:
    secret = OneUse(5)
    for held in (secret, Holder(secret)):
        if held is secret or duplicate is not copy.copy:
            with pytest.raises(MisuseError, match="neither copied nor pickled"):
                duplicate(held)
    shared = copy.copy(Holder(secret))
    shared.mask.take()
    with pytest.raises(MisuseError):
        secret.take()


def test_it_is_neither_compared_nor_hashed() -> None:
    with pytest.raises(MisuseError, match="not compared"):
        assert OneUse(5) == OneUse(5)
    with pytest.raises(TypeError):
        hash(OneUse(5))
