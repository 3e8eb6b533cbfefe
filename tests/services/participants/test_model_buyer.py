"""The buyer's shell: which order, message and event belong together, and a Paillier key for each training."""

import pytest

from protocol.admission_policy import AdmissionPolicy
from protocol.codec import unpack
from protocol.crypto.paillier import PrivateKey
from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened, Registered, Settled, Withdrawn
from protocol.messages import Complaint, RequestAnswer, TrainingOrder
from protocol.request_parsing import parse_request
from protocol.roles.dispatch import run_step
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from services.participants.model_buyer import BuyerRole
from services.runtime.input_codec import message_identity, queued, unqueued
from services.store import StepWrites, Store
from tests.support.daemons.service_world import MARKET, OneKey, Person, event_of
from tests.support.roles.small_markets import small_request
from tests.support.seats import seat_taken


class Buyer:
    """A buyer's store and shell, its orders put in by hand."""

    def __init__(self):
        self.person, self.aggregator = Person("model_buyer"), Person("federated_aggregator")
        self.store, self.keys = Store(), OneKey()
        self.role = BuyerRole(self.store, self.person.address, self.keys)

    def request(self, name="first"):
        return parse_request(small_request(name=name, aggregator=self.aggregator.address))

    def order(self, name="first"):
        return self.person.signed(self.person, TrainingOrder(request=self.request(name)), training=0)

    def offer(self, signed):
        """As the runtime does: the order waits in the inbox for its step."""
        key = self.role.key_of_message(signed)
        item = MessageReceived(signed=signed)
        self.store.add_inputs([(message_identity(signed.envelope), key, queued(item))])
        return key

    def take(self, key, training=None):
        """The order's step, and the training's number once it is opened."""
        item = self.store.next_input(key)
        context = Context(
            address=self.person.address,
            market=MARKET,
            now=0.0,
            seed=b"s" * 32,
            signing_key=self.person.identity.signing_key,
            private={"paillier": self.keys.content},
            least_key_bits=1024,
        )
        step = run_step("model_buyer", None, unqueued(item.content), context)
        writes = StepWrites(training, step.state, step.display_status, step.finished, step.references)
        self.store.write_step(item, writes, 0.0)

    def opened(self, name="first", buyer=None, training=4):
        return Opened(
            training=training,
            buyer=buyer or self.person.address,
            aggregator=self.aggregator.address,
            deposit=10**18,
            terms=self.request(name).terms(PrivateKey.from_bytes(self.keys.content).public_key.key_id),
        )


@pytest.fixture
def buyer():
    made = Buyer()
    yield made
    made.store.close()


def test_an_order_starts_an_instance_of_its_own(buyer):
    signed = buyer.order()
    assert buyer.role.key_of_message(signed) == f"order:{signed.envelope.message_id.hex()}"


@pytest.mark.parametrize("taken", [False, True], ids=["while it waits", "after its step"])
def test_the_same_request_is_not_ordered_twice_but_a_redelivery_is_no_order(buyer, taken):
    first = buyer.order()
    key = buyer.offer(first)
    if taken:
        buyer.take(key)
    assert buyer.role.key_of_message(first) == key
    with pytest.raises(ProtocolViolation) as caught:
        buyer.role.key_of_message(buyer.order())
    assert caught.value.code == "ordered_already"
    assert key in caught.value.detail
    assert buyer.role.key_of_message(buyer.order("second")) != key


def test_an_opening_belongs_to_the_order_with_its_request(buyer):
    keys = {name: buyer.offer(buyer.order(name)) for name in ("first", "second")}
    for key in keys.values():
        buyer.take(key)
    assert buyer.role.key_of_event(buyer.opened("second")) == keys["second"]
    assert buyer.role.key_of_event(buyer.opened("first")) == keys["first"]
    assert buyer.role.key_of_event(buyer.opened("third")) is None


def test_anothers_opening_of_the_same_request_is_not_ours(buyer):
    buyer.take(buyer.offer(buyer.order()))
    assert buyer.role.key_of_event(buyer.opened(buyer=Person("model_buyer").address)) is None


def test_an_order_that_was_opened_takes_no_second_opening(buyer):
    key = buyer.offer(buyer.order())
    buyer.take(key, training=4)
    assert buyer.role.key_of_event(buyer.opened(training=4)) == key
    assert buyer.role.key_of_event(buyer.opened(training=5)) is None


def test_events_and_messages_follow_the_trainings_number(buyer):
    key = buyer.offer(buyer.order())
    buyer.take(key, training=4)
    answer = RequestAnswer(accepted=True, code="accepted")
    assert buyer.role.key_of_message(buyer.aggregator.signed(buyer.person, answer, training=4)) == key
    assert buyer.role.key_of_event(Settled(training=4, improvement=1, paid=1, refund=0)) == key
    assert buyer.role.key_of_event(Settled(training=5, improvement=1, paid=1, refund=0)) is None


def test_events_that_come_before_the_openings_step_find_it(buyer):
    key = buyer.offer(buyer.order())
    buyer.take(key)
    opened = buyer.opened(training=4)
    assert buyer.role.key_of_event(opened) == key
    content = queued(EventConfirmed(chain_event=event_of(opened)))
    buyer.store.add_inputs([(b"e" * 32, key, content)], training=4)
    joined = seat_taken(training=4, owner=Person("data_owner").address, seat=0)
    assert buyer.role.key_of_event(joined) == key


def test_events_about_accounts_belong_to_no_training(buyer):
    buyer.take(buyer.offer(buyer.order()))
    account = buyer.person.address
    for event in (
        Withdrawn(account=account, amount=1),
        Registered(account=account, role="model_buyer", exchange_key=b"k" * 32),
    ):
        assert buyer.role.key_of_event(event) is None


def test_a_message_without_a_training_fits_nowhere(buyer):
    complaint = Complaint(code="lost", accused=buyer.person.address, evidence=())
    with pytest.raises(ProtocolViolation) as caught:
        buyer.role.key_of_message(buyer.aggregator.signed(buyer.person, complaint, training=0))
    assert caught.value.code == "unknown_training"


async def test_each_training_has_a_key_of_its_own_bits_under_its_own_label(buyer):
    first = buyer.order()
    key = buyer.offer(first)
    item = MessageReceived(signed=first)
    assert (await buyer.role.context(key, item)).private == {"paillier": buyer.keys.content}
    buyer.take(key)
    settled = EventConfirmed(chain_event=event_of(Settled(training=4, improvement=1, paid=1, refund=0)))
    assert (await buyer.role.context(key, settled)).private == {"paillier": buyer.keys.content}
    buyer.store.close()  # a training's request never changes: it is read once
    assert (await buyer.role.context(key, settled)).private == {"paillier": buyer.keys.content}
    assert buyer.keys.labels == [(key, 1024)] * 3


async def test_no_key_is_made_for_what_is_no_order(buyer):
    answer = RequestAnswer(accepted=True, code="accepted")
    message = MessageReceived(signed=buyer.aggregator.signed(buyer.person, answer, training=9))
    assert (await buyer.role.context("9", message)).private == {}
    assert buyer.keys.labels == []


async def test_a_step_is_told_the_standing_policy_about_owners(buyer):
    policy = AdmissionPolicy(others="ask")
    role = BuyerRole(buyer.store, buyer.person.address, buyer.keys, admission=policy)
    item = MessageReceived(signed=buyer.order())
    assert unpack(AdmissionPolicy, (await role.context("order:1", item)).policy) == policy
    standing = (await buyer.role.context("order:1", item)).policy
    assert unpack(AdmissionPolicy, standing) == AdmissionPolicy()
