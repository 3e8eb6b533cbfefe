import asyncio
import threading
import time

import pytest
import yaml

import deltaml
from deltaml import AsyncBuyer, AsyncOwner, Buyer, Owner
from protocol.errors import MisuseError
from protocol.marketplace import Credited, Withdrawn
from protocol.messages import CardsOrder, OwnerDecision, StopOrder, TrainingOrder, WithdrawOrder
from protocol.messages.examples import any_card
from protocol.messages.examples import any_request as offer_request
from services.bus.port import BusError
from services.common.errors import ConfigurationError, OrderUnanswered
from services.records.chain_facts import record_key, record_of
from services.records.order_answers import OrderAnswer
from tests.deltaml.participant_files import HUB, participant, told
from tests.support.console.trainings import OWNERS, finished_training, put, running_training, tell
from tests.support.daemons.service_world import event_of
from tests.support.deployment.documents import any_request

QUICK = {"poll_seconds": 0.01}


class Sent(list):
    """Orders that would have gone to the daemon; the n-th has the message id n."""

    async def __call__(self, body, training=0):
        self.append((body, training))
        return len(self).to_bytes(16, "big")


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def buyer(tmp_path):
    config, _address, store = participant(tmp_path, "model-buyer")
    yield config, store
    store.close()


@pytest.fixture
def owner(tmp_path):
    config, address, store = participant(tmp_path, "data-owner")
    yield config, address, store
    store.close()


def test_a_buyer_reads_its_trainings_and_models(buyer):
    config, store = buyer
    key = finished_training(store, training=7)
    running_training(store, training=8, name="another")
    with deltaml.connect(config) as opened:
        assert isinstance(opened, Buyer)
        assert [(one.number, one.status, one.finished) for one in opened.trainings()] == [
            (8, "IN_PROGRESS", False),
            (7, "FINISHED", True),
        ]
        bought = opened.training(7)
        assert bought.key == opened.training(key).key == key
        assert repr(bought) == "<Training 7: FINISHED>"
        assert bought.errors == pytest.approx((6000, 5400, 4860, 4374))
        assert [made.number for made in bought.rounds] == [1, 2, 3]
        assert bought.rounds[0].contributions[OWNERS[0]] == pytest.approx(600)
        assert bought.owners[OWNERS[0]].pay == 3 * 10**17
        assert bought.model.model.weights == (1.25, -2.5)
        with pytest.raises(ConfigurationError, match="has no training '9'"):
            opened.training(9)
        with pytest.raises(ConfigurationError, match="no model of training 8"):
            _ = opened.training(8).model


def test_a_buyer_orders_and_watches(buyer, sent):
    config, store = buyer
    wanted = any_request()
    opened = Buyer(config, sent, answer_seconds=0)
    training = opened.order(wanted.model_dump(mode="json"))
    assert sent == [(TrainingOrder(request=wanted), 0)]
    assert (training.status, training.rounds, training.owners, training.request) == ("ORDERED", (), {}, None)
    with pytest.raises(ConfigurationError, match="is ORDERED: it has no model"):
        _ = training.model
    with pytest.raises(TimeoutError, match="is ORDERED after 0 s; it goes on"):
        training.wait(0)
    put(store, training.key, wanted)
    seen = []
    for progress in training.watch(**QUICK):
        seen.append(progress.status)
        if progress.status == "WAITING":
            put(store, training.key, wanted, phase="failed", failure="too_few_owners")
    assert seen == ["WAITING", "FAILED(too_few_owners)"]
    assert training.wait(**QUICK).finished
    with pytest.raises(ConfigurationError, match=r"is FAILED\(too_few_owners\): it has no model"):
        _ = training.model
    with pytest.raises(MisuseError, match="ordered before: change its name"):
        opened.order(wanted)
    with pytest.raises(MisuseError, match="deposit of 7 wei is too low"):
        opened.order({**any_request(name="poor").model_dump(mode="json"), "payment": {"deposit_wei": "7"}})
    assert len(sent) == 1
    opened.stop(3)
    assert sent[-1] == (StopOrder(training=3, reason="stopped by its operator"), 3)
    opened.close()


def test_waiting_ends_when_the_daemon_has_ended_the_training(buyer, sent):
    config, store = buyer
    running_training(store)
    with Buyer(config, sent, answer_seconds=0) as opened:
        training = opened.training(1)
        ended = threading.Timer(0.05, lambda: finished_training(store))
        ended.start()
        assert training.wait(60, **QUICK).status == "FINISHED"
        ended.join()


async def test_all_of_it_can_be_awaited(buyer, owner, sent):
    config, store = buyer
    with deltaml.connect_async(config) as opened:
        assert isinstance(opened, AsyncBuyer)
    opened = AsyncBuyer(config, sent, answer_seconds=0)
    training = await opened.order(any_request())
    put(store, training.key, any_request())
    watching = training.watch(**QUICK)
    assert (await anext(watching)).status == "WAITING"
    later = asyncio.create_task(training.wait(**QUICK))
    put(store, training.key, any_request(), phase="failed", failure="stopped")
    assert (await anext(watching)).finished
    assert (await later).status == "FAILED(stopped)"
    await opened.stop(1, "too dear")
    opened.close()

    with deltaml.connect_async(owner[0]) as opened:
        assert isinstance(opened, AsyncOwner)
    opened = AsyncOwner(owner[0], sent, answer_seconds=0)
    await opened.accept(2)
    await opened.decline(3)
    await opened.withdraw()
    opened.close()
    assert [order.type for order, _training in sent] == [
        "training_order",
        "stop_order",
        "owner_decision",
        "owner_decision",
        "withdraw_order",
    ]


NORTH, SOUTH = "0x" + "1".rjust(40, "0"), "0x" + "2".rjust(40, "0")
CARDS = {NORTH: any_card(), SOUTH: any_card().model_copy(update={"columns": any_card().columns[:2]})}


def test_a_buyer_sees_what_is_on_offer_and_whom_a_request_would_reach(buyer, sent):
    config, store = buyer
    told(store, CARDS, int(time.time()) + 3600)
    with Buyer(config, sent) as opened:
        found = opened.match(offer_request().model_dump(mode="json"))
        assert (found.owners, found.reached, found.is_enough) == (2, (NORTH,), False)
        assert [one.reasons for one in found.cards] == [(), ("no column 'progression'",)]
        assert [one.owner for one in opened.cards()] == [NORTH, SOUTH]
        columns = opened.columns(aggregators=[HUB])
        assert [(one.name, one.owners) for one in columns] == [("age", 2), ("bmi", 2), ("progression", 1)]
    assert sent == [], "what was told within a minute is not asked for again"


async def test_the_daemon_asks_what_is_on_offer_and_the_answer_is_awaited(buyer):
    config, store = buyer
    orders = []

    async def asked(body, _training=0):
        orders.append(body)
        key, fact = OrderAnswer("accepted").fact(b"n" * 16, body.type)
        store.note(key, fact, 1.0)
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, told, store, CARDS, int(time.time()), b"n" * 16)
        return b"n" * 16

    opened = AsyncBuyer(config, asked)
    found = await opened.match(offer_request())
    assert (orders, found.reached) == ([CardsOrder(aggregators=(HUB,))], (NORTH,))
    assert [one.card.name for one in await opened.cards(stored=True)] == ["clinic", "clinic"]
    assert len(await opened.columns(stored=True)) == 3
    opened.close()


def test_of_an_aggregator_that_does_not_answer_it_is_warned(buyer):
    config, store = buyer

    async def accepted(body, _training=0):
        key, fact = OrderAnswer("accepted").fact(b"n" * 16, body.type)
        store.note(key, fact, 1.0)
        return b"n" * 16

    with Buyer(config, accepted, answer_seconds=0.1) as opened:
        with pytest.warns(deltaml.SilentAggregatorWarning, match=f"{HUB} has not told all that is on offer"):
            assert opened.cards() == ()
        with pytest.raises(ConfigurationError, match="'nearby' is no address"):
            opened.cards(aggregators=["nearby"])


def test_an_owner_decides_and_sees_what_it_earned(owner, sent):
    config, address, store = owner
    for account in (address, OWNERS[0]):
        tell(store, 1, Credited(training=1, account=account, share="participation", amount=5))
        tell(store, 1, Credited(training=1, account=account, share="contribution", amount=8))
    event = event_of(Withdrawn(account=address, amount=5), 99)
    store.note_once(record_key(None), *record_of(event), 1_700_000_500.0)
    with deltaml.connect(config) as opened:
        assert isinstance(opened, Owner)
        assert repr(opened) == f"<Owner {address}>"
        earnings = opened.earnings()
    assert (earnings.earned, earnings.paid_out, earnings.credit) == (13, 5, 8)
    assert [(one.training, one.share, one.amount) for one in earnings.credited] == [
        (1, "participation", 5),
        (1, "contribution", 8),
    ]
    opened = Owner(config, sent, answer_seconds=0)
    opened.accept(4, data_set="rows", beyond_budget=True)
    opened.decline(5)
    opened.withdraw()
    opened.close()
    assert sent == [
        (OwnerDecision(training=4, accept=True, data_set="rows", beyond_budget=True), 4),
        (OwnerDecision(training=5, accept=False), 5),
        (WithdrawOrder(), 0),
    ]


async def test_an_order_waits_for_the_daemons_answer(owner):
    """Also in a notebook, where it is given beside a loop that runs."""
    config, _address, store = owner

    async def answered(body, training):
        message_id = training.to_bytes(16, "big")
        answer = OrderAnswer("accepted") if training == 1 else OrderAnswer("over_budget", state="READY")
        if training < 3:
            key, fact = answer.fact(message_id, body.type)
            store.note(key, fact, 1_700_000_000.0)
        return message_id

    with Owner(config, answered, answer_seconds=30) as opened:
        opened.accept(1)
        with pytest.raises(MisuseError, match="refused: over_budget: the data set's budget is used"):
            opened.accept(2)
    with Owner(config, answered, answer_seconds=0.01) as opened, pytest.raises(OrderUnanswered):
        opened.accept(3)


def test_an_order_that_no_broker_takes_is_told(owner):
    config, _address, _store = owner
    with Owner(config) as opened, pytest.raises(BusError):
        opened.withdraw()


def test_files_of_other_daemons_and_wrong_ones_are_refused(buyer, tmp_path):
    config, _store = buyer
    with pytest.raises(ConfigurationError, match="give the file of data-owner"):
        Owner(config)
    listener = tmp_path / "listener.yaml"
    fields = {**yaml.safe_load(config.read_text()), "daemon": "chain-listener"}
    known = ("daemon", "broker", "chain", "store")
    listener.write_text(yaml.safe_dump({name: fields[name] for name in known}))
    with pytest.raises(
        ConfigurationError, match="configures the daemon chain-listener; give the file of a model-b"
    ):
        deltaml.connect(listener)
    with pytest.raises(ConfigurationError):
        deltaml.connect(tmp_path / "none.yaml")
