"""What a step may know: its chance is drawn once for each use, and is not seen."""

import pickle
from dataclasses import replace

import pytest

from protocol.errors import MisuseError
from protocol.records import Market
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.state import store

MARKET = Market(chain_id=1, contract="0x" + "11" * 20)


def context() -> Context:
    address = "0x" + "22" * 20
    return Context(address=address, market=MARKET, now=0, seed=b"s" * 32, signing_key=b"")


def test_a_label_is_used_once_in_a_step() -> None:
    step = context()
    masks = [step.randomness(label).bits(64) for label in ("mask", "blinding")]
    assert masks[0] != masks[1]
    with pytest.raises(MisuseError, match="'mask' was drawn before"):
        step.randomness("mask")


def test_the_same_seed_gives_the_next_step_the_same_chance() -> None:
    """A step that is repeated after a crash decides as it did; another seed is another step."""
    step = context()
    drawn = step.randomness("mask").bytes(16)
    assert context().randomness("mask").bytes(16) == drawn
    assert replace(step, now=1.0).randomness("mask").bytes(16) == drawn
    assert replace(step, seed=b"t" * 32).randomness("mask").bytes(16) != drawn


def test_what_was_drawn_is_neither_shown_nor_compared() -> None:
    step, fresh = context(), context()
    step.randomness("mask")
    assert step == fresh
    assert repr(step) == repr(fresh)
    assert "mask" not in repr(step)
    assert pickle.loads(pickle.dumps(fresh)).randomness("mask").bytes(16)


def test_blobs_of_the_same_step_are_found_and_its_labels_stay_used() -> None:
    """A second context with streams of its own would draw the same secrets again."""
    step, (_, blob) = context(), store(b"a share")
    drawn = step.randomness("mask").bytes(16)
    later = step.knowing([blob, SetTimer(name="join", seconds=1.0)])
    assert later.blobs == {blob.digest: b"a share"}
    assert step.blobs == {}
    with pytest.raises(MisuseError, match="'mask' was drawn before"):
        later.randomness("mask")
    assert later.randomness("other").bytes(16) != drawn
    with pytest.raises(MisuseError, match="'other' was drawn before"):
        step.randomness("other")
    fresh = context()
    assert fresh.knowing(()).randomness("mask").bytes(16) == drawn
    with pytest.raises(MisuseError):
        fresh.randomness("mask")
