"""The owner's shell: its aggregators, its data sets, and the keys of a training's owners."""

import os

import numpy as np
import pytest

from protocol.codec import unpack
from protocol.data_card import DataCard, cards_digest
from protocol.data_set import DataSet
from protocol.errors import ProtocolViolation
from protocol.learning.kinds.registry import KINDS
from protocol.marketplace import Claim, Credited, Opened, RolesDrawn, Withdraw, Withdrawn
from protocol.messages import (
    AnnouncementAnswer,
    Complaint,
    Invitation,
    OwnerAnnouncement,
    PolicyOrder,
    WithdrawOrder,
)
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.roles.engine.inputs import (
    CatalogueChanged,
    EventConfirmed,
    PolicyChanged,
    TimerFired,
)
from protocol.roles.owner.budget import Counts, count_numbers, most_numbers
from protocol.terms import NATIVE
from services.participants.data_owner import OwnerRole
from services.records.admissions import Refusal
from services.records.chain_facts import record_key, record_of
from services.records.earnings import account_of
from services.records.owner_account import count_earlier_trainings, counts_of
from services.runtime.role_adapter import NO_TRAINING
from services.store import Store
from tests.support.console.owner import left_by_its_buyer
from tests.support.console.trainings import tell
from tests.support.daemons.service_world import FakeChain, Person, event_of
from tests.support.database.stores import offered, writes
from tests.support.deployment.documents import KEY_ID, any_request
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.small_markets import small_data, small_market
from tests.support.seats import seat_taken

OURS, OTHER = Person("federated_aggregator"), Person("federated_aggregator")
OWNER, PEER = Person("data_owner"), Person("data_owner")
ACCEPTED = AnnouncementAnswer(accepted=True, code="admitted", cards=cards_digest(()))
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
        terms=any_request(aggregator=aggregator.address).terms(KEY_ID),
    )


def test_the_owner_introduces_itself_until_it_is_answered(role, store):
    announcement = OwnerAnnouncement(model_kinds=tuple(KINDS))
    assert role.announcements() == ((OURS.address, announcement),)
    signed = OURS.signed(OWNER, ACCEPTED, training=0)
    assert role.key_of_message(signed) == NO_TRAINING
    answer = role.answer(signed)
    assert answer.messages == ()
    assert answer.fact == (
        "announcement_answered",
        {"aggregator": OURS.address, "accepted": True, "code": "admitted"},
    )
    for name, content in answer.values.items():
        store.put_value(name, content)
    assert role.announcements() == ()


def test_a_refused_owner_asks_again_until_it_is_on_the_list(role, store):
    """One that started before it was listed was locked out by its own store for good."""

    def answered(accepted, code):
        body = AnnouncementAnswer(accepted=accepted, code=code, cards=cards_digest(()))
        answer = role.answer(OURS.signed(OWNER, body, training=0))
        for name, content in answer.values.items():
            store.put_value(name, content)
        return answer.fact

    assert not role.is_answered()
    assert role.refusals() == ()
    assert answered(False, "admitted")[1]["accepted"] is False  # the code is a peer's word
    assert role.is_answered()
    assert len(role.announcements()) == 1
    assert role.refusals() == (Refusal(OURS.address, None),)
    role.asks_again_at = 17.0
    assert role.refusals() == (Refusal(OURS.address, 17.0),)
    assert answered(False, "not_on_the_list") is None  # no news: it is asked again and again
    assert answered(True, "welcome")[1]["accepted"] is True
    assert role.announcements() == ()
    assert role.refusals() == ()


def test_cards_are_announced_again_when_they_change(role, store, data_sets):
    def answered(cards):
        answer = AnnouncementAnswer(accepted=True, code="admitted", cards=cards_digest(cards))
        for name, content in role.answer(OURS.signed(OWNER, answer, training=0)).values.items():
            store.put_value(name, content)

    answered(())
    data_sets["rows"] = DataSet.of("rows", make_statistic(("x", "y"), np.eye(2)))
    [(aggregator, announcement)] = role.announcements()
    assert (aggregator, announcement.cards) == (OURS.address, (data_sets["rows"].card,))
    answered(())
    assert role.announcements(), "an answer to what was announced before does not count"
    answered(announcement.cards)
    assert role.announcements() == ()
    unlisted = data_sets["rows"].card.model_copy(update={"listed": False})
    data_sets["rows"] = DataSet(unlisted, data_sets["rows"].statistic)
    assert role.announcements() == ((OURS.address, OwnerAnnouncement(model_kinds=tuple(KINDS))),)


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
    assert role.key_of_event(seat_taken(training=6, owner=OWNER.address, seat=0)) is None
    store.add_inputs([(b"o" * 32, "4", b"opened")], training=4)
    assert role.key_of_event(RolesDrawn(training=4, trainers=3, validators=12)) == "4"


def own_joined(owner=OWNER):
    return EventConfirmed(chain_event=event_of(seat_taken(training=4, owner=owner.address, seat=0)))


async def test_steps_that_may_join_see_the_data_sets_as_they_are_now(role, data_sets):
    decided = CatalogueChanged()
    assert set(role.private(decided)) == {"joined"}
    statistic = make_statistic(("x", "y"), np.arange(12.0).reshape(6, 2) ** 2)
    data_sets["rows"] = DataSet.of("rows", statistic)
    for item in (decided, PolicyChanged()):
        found = role.private(item)
        assert set(found) == {"card:rows", "data_set:rows", "joined"}
        assert unpack(DataCard, found["card:rows"]) == data_sets["rows"].card
        assert (await role.context("4", item)).private == found


def test_our_own_seat_shows_cards_and_no_rows(role, data_sets):
    """It was taken with what was committed to before, or in a state that is lost."""
    statistic = make_statistic(("x", "y"), np.arange(12.0).reshape(6, 2) ** 2)
    data_sets["rows"] = DataSet.of("rows", statistic)
    assert set(role.private(own_joined())) == {"card:rows", "joined"}


@pytest.mark.parametrize("item", [TimerFired(name="join"), own_joined(PEER)])
def test_steps_that_cannot_join_do_not_touch_the_data_sets(role, item):
    role.data_sets = None
    assert role.private(item) == {}


ORDERED = OwnerPolicy(automatic=True, buyers=("0x" + "b0" * 20,), budget=Budget(per_buyer=4))


def ordered(role, store, body):
    """What an order of the operator leads to, written as the runtime does."""
    signed = OWNER.signed(OWNER, body, training=0)
    assert role.key_of_message(signed) == NO_TRAINING
    answer = role.answer(signed)
    item = offered(store, os.urandom(32), NO_TRAINING)
    facts = () if answer.fact is None else (answer.fact,)
    store.finish_input(item, 1.0, values=answer.values, facts=facts)
    return answer


def test_an_ordered_policy_takes_the_configurations_place_until_it_is_reset(role, store, chain):
    ordered(role, store, PolicyOrder(policy=ORDERED))
    assert unpack(OwnerPolicy, role.policy()) == ORDERED
    again = OwnerRole(
        store,
        address=OWNER.address,
        data_sets=dict,
        aggregators=(OURS.address,),
        policy=POLICY,
    )
    assert unpack(OwnerPolicy, again.policy()) == ORDERED
    ordered(role, store, PolicyOrder(policy=None))
    assert unpack(OwnerPolicy, again.policy()) == POLICY


def test_a_changed_policy_is_told_to_trainings_that_wait(role, store):
    for key, shown in (("1", "WAITING"), ("2", "READY"), ("3", "INITIATED"), ("4", "FINISHED")):
        store.write_step(offered(store, key.encode() * 32, key), writes(display_status=shown), 1.0)
    answer = ordered(role, store, PolicyOrder(policy=ORDERED))
    assert dict(answer.inputs) == {"1": PolicyChanged(), "2": PolicyChanged()}


def test_nobody_else_orders_a_policy_or_a_withdrawal(role, store):
    for body in (PolicyOrder(policy=None), WithdrawOrder()):
        assert refused(role.answer, OURS.signed(OWNER, body, training=0)) == "unknown_aggregator"
    assert unpack(OwnerPolicy, role.policy()) == POLICY


def test_a_withdrawal_is_a_call_of_the_contract(role, store):
    assert ordered(role, store, WithdrawOrder()).calls == (Withdraw(),)


def test_a_withdrawal_claims_first_what_is_kept(role, store):
    token = "0x" + "70" * 20
    for training, paid_in in ((3, NATIVE), (4, token), (8, NATIVE), (9, NATIVE)):
        left_by_its_buyer(store, training, OWNER.address, paid_in)
    tell(store, 9, Credited(training=9, account=OWNER.address, share="abandonment", amount=1))
    calls = ordered(role, store, WithdrawOrder()).calls
    assert calls == (Claim(training=3), Claim(training=8), Withdraw())
    calls = ordered(role, store, WithdrawOrder(token=token)).calls
    assert calls == (Claim(training=4), Withdraw(token=token))


def test_our_own_money_is_told_and_nobody_elses(store):
    for account in (OWNER.address, PEER.address):
        events = (
            Credited(training=4, account=account, share="validation", amount=10**17),
            Withdrawn(account=account, amount=3 * 10**16),
        )
        for number, event in enumerate(events):
            name, data = record_of(event_of(event))
            store.note_once(record_key(4), name, data, 5.0 + number)
    account = account_of(store, "data_owner", OWNER.address)
    (credited,), (withdrawn,) = account.credited, account.withdrawn
    told = (credited.at, credited.amount, credited.training, credited.share)
    assert told == (5.0, 10**17, 4, "validation")
    assert (withdrawn.at, withdrawn.amount, withdrawn.training) == (6.0, 3 * 10**16, None)


async def test_steps_that_may_join_see_what_was_joined(role, store):
    store.put_value("joined:3", count_numbers(3, PEER.address, "rows", 25).content)
    private = role.private(PolicyChanged())
    assert unpack(Counts, private["joined"]).of_buyer("rows", PEER.address) == 25
    assert "joined" not in role.private(TimerFired(name="join"))


def test_trainings_of_a_store_that_did_not_count_are_counted_once(chain):
    market = small_market(data=small_data(owners=4))
    market.run_until("invitation_answer", market.aggregator)
    owner = next(one for one in market.owners if one.shown == "INITIATED")
    store = Store()
    store.write_step(offered(store, key="1"), writes(state=owner.state, display_status=owner.shown), 1.0)
    count_earlier_trainings(store)
    assert counts_of(store).of_buyer("rows", market.buyer.address) == most_numbers(market.request)
    store.finish_input(offered(store, b"g" * 32, "1"), 2.0, values={"joined:1": None})
    count_earlier_trainings(store)
    assert counts_of(store).in_total("rows") == 0, "what was given back stays given back"
    store.close()


async def test_the_policy_travels_packed(role):
    context = await role.context("4", TimerFired(name="join"))
    assert unpack(OwnerPolicy, context.policy) == POLICY
