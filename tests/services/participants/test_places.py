"""How many trainings may be under way: also those that were let in, of which the store knows nothing yet."""

import os

import pytest

from services.participants.places import FRESH_SECONDS, Places
from services.store import Store
from tests.support.database.stores import offered, writes

BUYER, OTHER = "0x" + "b1" * 20, "0x" + "b2" * 20
EACH, IN_ALL = 3, 5


class World:
    """Places of three for each buyer and five in all, as of `now`."""

    def __init__(self) -> None:
        self.now, self.store = 0.0, Store()
        self.places = Places(self.store, EACH, IN_ALL, clock=lambda: self.now)

    def gets_one(self, training: int, buyer: str = BUYER) -> bool:
        return not self.places.objection(training, buyer)

    def begin(self, training: int) -> None:
        """The first input of a training has been worked on."""
        step = writes(training=training, state=b"state", display_status="WAITING", finished=False)
        self.store.write_step(offered(self.store, os.urandom(32), str(training)), step, 0.0)


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


def test_a_burst_of_openings_gets_no_more_places_than_the_store_would_grant(world):
    """All arrive before the first of them is stored, where the store alone would let each of them in."""
    assert [world.gets_one(training) for training in range(1, 11)] == [True] * EACH + [False] * (10 - EACH)
    assert [world.gets_one(training, OTHER) for training in range(11, 16)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_place_that_was_given_is_the_trainings_whenever_it_asks(world):
    assert all(world.gets_one(1) for _ in range(10))
    assert world.gets_one(2)
    world.begin(1)
    assert world.gets_one(1)


def test_a_training_whose_first_input_never_comes_keeps_no_place(world):
    """Refused later, or its daemon ended in between: places that nothing ends would be gone for good."""
    assert [world.gets_one(training) for training in range(1, EACH + 1)] == [True] * EACH
    world.now += FRESH_SECONDS - 1
    assert not world.gets_one(4)
    world.now += 2
    assert world.gets_one(4)


def test_a_training_that_began_keeps_its_place_beyond_that_time(world):
    for training in range(1, EACH + 1):
        assert world.gets_one(training)
        world.begin(training)
    world.now += 10 * FRESH_SECONDS
    assert not world.gets_one(4)
    assert world.gets_one(4, OTHER)
