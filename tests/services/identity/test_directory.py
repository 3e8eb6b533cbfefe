"""What a party's process remembers of the chain's registrations."""

import pytest

from protocol.errors import ProtocolViolation
from services.identity.directory import Directory
from tests.support.daemons.service_world import FakeChain, Person


@pytest.fixture
def person():
    return Person("data_owner")


@pytest.fixture
def chain(person):
    return FakeChain(person)


async def test_a_training_key_is_asked_for_once(chain, person):
    chain.keys[7, person.address] = b"k" * 32
    directory = Directory(chain)
    keys = {await directory.exchange_key_of(7, person.address) for _ in range(3)}
    assert keys == {await directory.sealing_key_of(7, person.address)} == {b"k" * 32}
    assert chain.asked == 1


async def test_a_key_that_may_change_is_asked_for_again_each_time(chain, person):
    directory = Directory(chain)
    assert await directory.exchange_key_of(7, person.address) == person.identity.exchange_key
    chain.keys[7, person.address] = b"k" * 32
    assert await directory.exchange_key_of(7, person.address) == b"k" * 32


async def test_to_seal_one_of_some_seconds_ago_will_do(chain, person):
    now = [1000.0]
    directory = Directory(chain, clock=lambda: now[0])
    before = await directory.sealing_key_of(7, person.address)
    asked = chain.asked
    chain.keys[0, person.address] = b"n" * 32
    now[0] += 4.9
    assert await directory.sealing_key_of(7, person.address) == before
    assert chain.asked == asked
    now[0] += 0.2
    assert await directory.sealing_key_of(7, person.address) == b"n" * 32


async def test_who_is_not_registered_has_neither_role_nor_key(chain):
    directory = Directory(chain)
    for asking in (
        directory.role_of("0x1"),
        directory.exchange_key_of(7, "0x1"),
        directory.sealing_key_of(0, "0x1"),
    ):
        with pytest.raises(ProtocolViolation, match="not_registered"):
            await asking
