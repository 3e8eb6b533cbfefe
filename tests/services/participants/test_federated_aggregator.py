"""The aggregator's shell: its admission list, and the trainings that are its own."""

import pytest

from protocol.bond_policy import BondPolicy
from protocol.codec import pack, unpack
from protocol.data_card import cards_digest
from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened, Withdrawn
from protocol.messages import AnnouncementAnswer, Complaint, InvitationAnswer, OwnerAnnouncement
from protocol.messages.examples import any_card
from services.participants.federated_aggregator import AggregatorRole
from services.records.offers import Offer, OfferedCard, stored_offers
from services.runtime.role_adapter import NO_TRAINING, RoleContext
from services.store import StepWrites, Store
from tests.support.daemons.service_world import Person
from tests.support.deployment.documents import KEY_ID, any_request
from tests.support.seats import seat_taken

AGGREGATOR, OWNER, STRAW_MAN = (Person("federated_aggregator"), Person("data_owner"), Person("data_owner"))
CARDS = (any_card(),)
ANNOUNCEMENT = OwnerAnnouncement(model_kinds=("linear_regression",), cards=CARDS)


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


@pytest.fixture
def role(store):
    return AggregatorRole(store, AGGREGATOR.address, frozenset({OWNER.address}))


def opened(aggregator=AGGREGATOR, training=4):
    return Opened(
        training=training,
        buyer="0x" + "b0" * 20,
        aggregator=aggregator.address,
        deposit=10**18,
        terms=any_request(aggregator=aggregator.address).terms(KEY_ID),
    )


def announce(role, store, owner):
    """The answer to an owner's announcement, kept as the runtime keeps it."""
    signed = owner.signed(AGGREGATOR, ANNOUNCEMENT, training=0)
    assert role.key_of_message(signed) == NO_TRAINING
    answer = role.answer(signed)
    for name, content in answer.values.items():
        store.put_value(name, content)
    return answer


def test_an_owner_on_the_list_is_admitted(role, store):
    answer = announce(role, store, OWNER)
    assert answer.messages == (
        (OWNER.address, AnnouncementAnswer(accepted=True, code="admitted", cards=cards_digest(CARDS))),
    )
    assert answer.fact == ("owner_announced", {"owner": OWNER.address, "accepted": True})
    assert role.announced() == (OWNER.address,)


def test_an_owner_that_is_not_on_the_list_is_told_so_and_never_invited(role, store):
    answer = announce(role, store, STRAW_MAN)
    refused = AnnouncementAnswer(accepted=False, code="not_on_the_list", cards=cards_digest(CARDS))
    assert answer.messages == ((STRAW_MAN.address, refused),)
    assert answer.values == {}
    assert role.announced() == ()


def test_the_same_answer_to_another_announcement_is_no_news(role, store):
    news = {"owner": OWNER.address, "accepted": True}
    assert announce(role, store, OWNER).fact == ("owner_announced", news)
    assert announce(role, store, OWNER).fact is None
    assert announce(role, store, STRAW_MAN).fact is not None
    assert announce(role, store, STRAW_MAN).fact is None
    role.admitted = frozenset()
    assert announce(role, store, OWNER).fact == ("owner_announced", {**news, "accepted": False})
    assert announce(role, store, OWNER).fact is None
    role.admitted = frozenset({OWNER.address})
    assert role.announced() == (), "it has not introduced itself since it was struck off"
    assert announce(role, store, OWNER).fact == ("owner_announced", news)
    assert role.announced() == (OWNER.address,)


def test_who_was_struck_off_the_list_is_out_after_a_restart(role, store):
    announce(role, store, OWNER)
    assert AggregatorRole(store, AGGREGATOR.address, frozenset()).announced() == ()


def test_the_cards_of_admitted_owners_are_kept_with_their_hashes(role, store):
    announce(role, store, OWNER)
    announce(role, store, STRAW_MAN)
    [(owner, content)] = stored_offers(store)
    assert owner == OWNER.address
    assert unpack(Offer, content).cards == (OfferedCard(hash=CARDS[0].hash(), card=CARDS[0]),)
    signed = OWNER.signed(AGGREGATOR, OwnerAnnouncement(model_kinds=()), training=0)
    for name, content in role.answer(signed).values.items():
        store.put_value(name, content)
    [(_, content)] = stored_offers(store)
    assert unpack(Offer, content).cards == ()


def test_an_announcement_twice_is_one_owner(role, store):
    announce(role, store, OWNER)
    announce(role, store, OWNER)
    assert role.announced() == (OWNER.address,)


def test_an_opening_with_us_starts_an_instance_and_anothers_none(role):
    assert role.key_of_event(opened()) == "4"
    assert role.key_of_event(opened(Person("federated_aggregator"))) is None
    assert role.key_of_event(seat_taken(training=9, owner=OWNER.address, seat=0)) is None
    assert role.key_of_event(Withdrawn(account=AGGREGATOR.address, amount=1)) is None


def test_events_of_a_training_under_way_find_it(role, store):
    store.add_inputs([(b"o" * 32, "4", b"opened")], training=4)
    assert role.key_of_event(seat_taken(training=4, owner=OWNER.address, seat=0)) == "4"
    store.write_step(store.next_input("4"), StepWrites(4, b"", "WAITING", False, frozenset()), 0.0)
    assert role.key_of_event(seat_taken(training=4, owner=OWNER.address, seat=1)) == "4"


def test_messages_go_to_their_training(role):
    answer = InvitationAnswer(decision="declined", code="declined_by_person")
    assert role.key_of_message(OWNER.signed(AGGREGATOR, answer, training=7)) == "7"
    with pytest.raises(ProtocolViolation) as caught:
        role.key_of_message(OWNER.signed(AGGREGATOR, answer, training=0))
    assert caught.value.code == "unknown_training"


def test_only_announcements_are_answered_outside_a_training(role):
    complaint = Complaint(code="lost", accused=OWNER.address, evidence=())
    with pytest.raises(ProtocolViolation) as caught:
        role.answer(OWNER.signed(AGGREGATOR, complaint, training=0))
    assert caught.value.code == "unknown_training"


async def test_the_aggregator_has_no_secret_of_its_own(role):
    assert await role.context("4", None) == RoleContext(policy=pack(BondPolicy()))


def test_the_announcement_travels_as_the_catalogue_says():
    body = OWNER.signed(AGGREGATOR, ANNOUNCEMENT, training=0).body
    assert unpack(OwnerAnnouncement, body) == ANNOUNCEMENT
