"""Keys, seals, and who is who on chain."""

import os

import pytest

from protocol.errors import ProtocolViolation
from services.chain.errors import ChainUnavailable
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.sealing import exchange_key_of, seal, unseal
from tests.support.daemons.service_world import FakeChain, Person

SECRET = bytes(range(32))


def test_what_is_sealed_opens_for_its_recipient_alone():
    sealed = seal(b"update", exchange_key_of(SECRET))
    assert unseal(sealed, SECRET) == b"update"
    assert len(sealed) == len(b"update") + 48
    assert seal(b"update", exchange_key_of(SECRET)) != sealed
    with pytest.raises(ProtocolViolation, match="not_sealed_to_me"):
        unseal(sealed, os.urandom(32))


@pytest.mark.parametrize("broken", [b"", b"x" * 47, b"x" * 200])
def test_what_is_no_seal_is_the_senders_fault(broken):
    with pytest.raises(ProtocolViolation, match="not_sealed_to_me"):
        unseal(broken, SECRET)


def test_a_bit_changed_anywhere_is_noticed():
    sealed = seal(b"update", exchange_key_of(SECRET))
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(ProtocolViolation, match="not_sealed_to_me"):
            unseal(bytes(altered), SECRET)


def test_an_identity_shows_no_secret():
    identity = Identity(b"\x01" * 32, SECRET, (b"\x02" * 32,))
    text = repr(identity) + str(identity)
    for secret in (identity.signing_key, SECRET, b"\x02" * 32):
        assert repr(secret) not in text
        assert secret.hex() not in text


def test_after_a_rotation_old_trainings_keep_their_key():
    old, new = os.urandom(32), os.urandom(32)
    identity = Identity(b"\x01" * 32, new, (os.urandom(32), old))
    assert identity.exchange_key == exchange_key_of(new)
    for secret in (old, new):
        assert identity.unseal(seal(b"update", exchange_key_of(secret))) == b"update"
    with pytest.raises(ProtocolViolation, match="not_sealed_to_me"):
        identity.unseal(seal(b"update", exchange_key_of(os.urandom(32))))


async def test_a_role_is_asked_for_once():
    person = Person("data_owner")
    chain = FakeChain(person)
    directory = Directory(chain)
    assert [await directory.role_of(person.address) for _ in range(3)] == ["data_owner"] * 3
    assert chain.asked == 1


async def test_who_is_not_registered_is_asked_for_again():
    person, chain = Person("data_owner"), FakeChain()
    directory = Directory(chain)
    with pytest.raises(ProtocolViolation, match="not_registered"):
        await directory.role_of(person.address)
    with pytest.raises(ProtocolViolation, match="not_registered"):
        await directory.exchange_key_of(1, person.address)
    chain.roles[person.address] = "data_owner"
    assert await directory.role_of(person.address) == "data_owner"


async def test_a_key_may_change_until_its_holder_joins():
    person = Person("data_owner")
    chain = FakeChain(person)
    directory = Directory(chain)
    assert await directory.exchange_key_of(4, person.address) == person.identity.exchange_key
    chain.keys[0, person.address] = b"n" * 32
    assert await directory.exchange_key_of(4, person.address) == b"n" * 32
    chain.keys[4, person.address] = b"j" * 32
    assert await directory.exchange_key_of(4, person.address) == b"j" * 32
    chain.keys[0, person.address] = b"x" * 32
    asked = chain.asked
    assert await directory.exchange_key_of(4, person.address) == b"j" * 32
    assert chain.asked == asked
    assert await directory.exchange_key_of(0, person.address) == b"x" * 32


async def test_an_outage_is_not_remembered_as_an_answer():
    person = Person("data_owner")
    chain = FakeChain(person)
    directory = Directory(chain)
    chain.down = True
    with pytest.raises(ChainUnavailable):
        await directory.role_of(person.address)
    chain.down = False
    assert await directory.role_of(person.address) == "data_owner"
