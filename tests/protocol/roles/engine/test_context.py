"""What a step may know: its chance is drawn once for each use, and is not seen."""

import pickle
from dataclasses import replace

import pytest

from protocol.errors import MisuseError
from protocol.records import Market
from protocol.roles.engine.context import Context

MARKET = Market(chain_id=1, contract="0x" + "11" * 20)


def context() -> Context:
    address = "0x" + "22" * 20
    return Context(
        address=address, market=MARKET, now=0, seed=b"s" * 32, signing_key=b"", exchange_secret=b""
    )


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
