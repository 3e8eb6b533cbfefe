"""The exchange keys of a training's owners, as the chain has them."""

import pytest

from services.chain.contract.views import Owners
from services.chain.errors import ChainUnavailable
from tests.support.daemons.service_world import FakeChain, Person

OWNER, PEER = Person("data_owner"), Person("data_owner")


@pytest.fixture
def chain():
    made = FakeChain(OWNER, PEER)
    made.keys[4, OWNER.address], made.keys[4, PEER.address] = b"o" * 32, b"p" * 32
    return made


async def test_the_owners_keys_are_those_that_they_joined_with(chain):
    keys = chain.seat_keys()
    chain.seats[4] = Owners((OWNER.address, PEER.address), 1, 2)
    expected = {OWNER.address: b"o" * 32, PEER.address: b"p" * 32}
    assert await keys.of(4) == expected
    asked = chain.asked
    assert await keys.of(4) == expected
    assert chain.asked == asked  # they never change once the roles are drawn


async def test_before_the_draw_the_set_of_owners_may_grow(chain):
    keys = chain.seat_keys()
    assert await keys.of(None) == {}
    chain.seats[4] = Owners((OWNER.address,), 0, 0)
    assert set(await keys.of(4)) == {OWNER.address}
    chain.seats[4] = Owners((OWNER.address, PEER.address), 1, 2)
    assert set(await keys.of(4)) == {OWNER.address, PEER.address}


async def test_an_owner_whose_key_cannot_be_used_is_left_out(chain):
    chain.keys[4, PEER.address] = b"\1" + bytes(31)
    chain.seats[4] = Owners((OWNER.address, PEER.address), 1, 2)
    assert await chain.seat_keys().of(4) == {OWNER.address: b"o" * 32}


async def test_an_owner_whom_the_node_does_not_know_yet_is_not_left_out(chain):
    """Who has joined is registered: a server that lags behind another must cost nobody its part."""
    late = Person("data_owner")
    chain.seats[4] = Owners((OWNER.address, late.address), 1, 2)
    keys = chain.seat_keys()
    for _ in range(2):
        with pytest.raises(ChainUnavailable, match=f"no exchange key of {late.address} yet: not_registered"):
            await keys.of(4)
    chain.keys[4, late.address] = b"l" * 32
    assert await keys.of(4) == {OWNER.address: b"o" * 32, late.address: b"l" * 32}
