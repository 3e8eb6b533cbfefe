"""The owner's shell: its aggregators, its data sets, and the keys of a training's owners."""

import numpy as np
import pytest

from protocol.codec import unpack
from protocol.errors import ProtocolViolation
from protocol.learning.statistic import Statistic
from protocol.marketplace import Joined, Opened, RolesDrawn
from protocol.messages import AnnouncementAnswer, Complaint, Invitation, OwnerAnnouncement
from protocol.owner_policy import OwnerPolicy
from protocol.roles.inputs import TimerFired
from services.chain.views import Owners
from services.data_owner import OwnerRole
from services.directory import Directory
from services.role import OUTSIDE
from services.store import Store
from tests.support.documents import any_request
from tests.support.pure_party import make_statistic
from tests.support.service_world import FakeChain, Person

OURS, OTHER = Person("federated_aggregator"), Person("federated_aggregator")
OWNER, PEER = Person("data_owner"), Person("data_owner")
ACCEPTED = AnnouncementAnswer(accepted=True, code="admitted")
POLICY = OwnerPolicy(automatic=True)


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


@pytest.fixture
def chain():
    return FakeChain(OURS, OTHER, OWNER, PEER)


@pytest.fixture
def data_sets():
    return {}


@pytest.fixture
def role(store, chain, data_sets):
    return OwnerRole(
        store,
        chain,
        Directory(chain),
        address=OWNER.address,
        data_sets=lambda: data_sets,
        aggregators=(OURS.address,),
        policy=POLICY,
    )


def refused(work, signed):
    with pytest.raises(ProtocolViolation) as caught:
        work(signed)
    return caught.value.code


def invitation(aggregator, training=4):
    request = any_request(aggregator=aggregator.address)
    body = Invitation(request=request, public_key=7, key_proof=(), join_until=0)
    return aggregator.signed(OWNER, body, training=training)


def opened(aggregator, training=4):
    return Opened(
        training=training,
        buyer="0x" + "b0" * 20,
        aggregator=aggregator.address,
        deposit=10**18,
        terms=any_request(aggregator=aggregator.address).terms(),
    )


def test_the_owner_introduces_itself_until_it_is_answered(role, store):
    announcement = OwnerAnnouncement(model_kinds=("linear_regression",))
    assert role.announcements() == ((OURS.address, announcement),)
    signed = OURS.signed(OWNER, ACCEPTED, training=0)
    assert role.key_of_message(signed) == OUTSIDE
    answer = role.answer(signed)
    assert answer.messages == ()
    assert answer.fact == (
        "announcement_answered",
        {"aggregator": OURS.address, "accepted": True, "code": "admitted"},
    )
    for name, content in answer.values.items():
        store.put_value(name, content)
    assert role.announcements() == ()


def test_an_answer_of_an_aggregator_that_is_not_ours_is_refused(role):
    assert refused(role.answer, OTHER.signed(OWNER, ACCEPTED, training=0)) == "unknown_aggregator"


def test_outside_a_training_only_answers_are_taken(role):
    complaint = Complaint(code="lost", accused=OWNER.address, evidence=())
    assert refused(role.answer, OURS.signed(OWNER, complaint, training=0)) == "unknown_aggregator"
    assert refused(role.key_of_message, OURS.signed(OWNER, complaint, training=0)) == "unknown_training"


def test_only_our_aggregators_may_invite(role):
    assert role.key_of_message(invitation(OURS)) == "4"
    assert refused(role.key_of_message, invitation(OTHER)) == "unknown_aggregator"
    assert refused(role.key_of_message, invitation(OURS, training=0)) == "unknown_training"


def test_only_our_aggregators_openings_start_an_instance(role, store):
    assert role.key_of_event(opened(OURS)) == "4"
    assert role.key_of_event(opened(OTHER, training=5)) is None
    assert role.key_of_event(Joined(training=6, owner=OWNER.address, seat=0)) is None
    store.add_inputs([(b"o" * 32, "4", b"opened")], training=4)
    assert role.key_of_event(RolesDrawn(training=4, trainers=3, validators=12)) == "4"


async def test_steps_see_the_data_sets_as_they_are_now(role, data_sets):
    timer = TimerFired(name="join")
    assert await role.private("4", timer) == {}
    statistic = make_statistic(("x", "y"), np.arange(12.0).reshape(6, 2) ** 2)
    data_sets["rows"] = statistic
    (content,) = (await role.private("4", timer)).values()
    assert Statistic.from_bytes(content).to_bytes() == statistic.to_bytes()
    assert set(await role.private("4", timer)) == {"data_set:rows"}


async def test_the_owners_keys_are_those_that_they_joined_with(role, chain):
    chain.keys[4, OWNER.address], chain.keys[4, PEER.address] = b"o" * 32, b"p" * 32
    chain.seats[4] = Owners((OWNER.address, PEER.address), 1, 2)
    expected = {OWNER.address: b"o" * 32, PEER.address: b"p" * 32}
    assert await role.exchange_keys(4) == expected
    asked = chain.asked
    assert await role.exchange_keys(4) == expected
    assert chain.asked == asked  # they never change once the roles are drawn


async def test_before_the_draw_the_set_of_owners_may_grow(role, chain):
    assert await role.exchange_keys(None) == {}
    chain.keys[4, OWNER.address], chain.keys[4, PEER.address] = b"o" * 32, b"p" * 32
    chain.seats[4] = Owners((OWNER.address,), 0, 0)
    assert set(await role.exchange_keys(4)) == {OWNER.address}
    chain.seats[4] = Owners((OWNER.address, PEER.address), 1, 2)
    assert set(await role.exchange_keys(4)) == {OWNER.address, PEER.address}


def test_the_policy_travels_packed(role):
    assert unpack(OwnerPolicy, role.policy()) == POLICY
