"""What the chain says of a training is kept for people, once."""

from protocol.marketplace import Credited, Opened, RoundRecorded, Withdrawn
from services.records.chain_facts import place_of, record_key, record_of
from services.store import Store
from tests.support.daemons.service_world import event_of
from tests.support.database.stores import offered, writes
from tests.support.deployment.documents import KEY_ID, RECORD, any_request
from tests.support.seats import seat_taken

US, OTHERS = "0x" + "aa" * 20, "0x" + "bb" * 20


def store_with_training() -> Store:
    store = Store()
    store.write_step(offered(store), writes(training=1), 0.0)
    return store


def test_events_of_known_trainings_and_own_withdrawals_are_kept():
    store = store_with_training()
    joined = event_of(seat_taken(training=1, owner=OTHERS, seat=0))
    assert place_of(joined, US, store) == record_key(1)
    assert place_of(event_of(seat_taken(training=2, owner=US, seat=0)), US, store) is None
    assert place_of(event_of(Withdrawn(account=US, amount=5)), US, store) == record_key(None)
    assert place_of(event_of(Withdrawn(account=OTHERS, amount=5)), US, store) is None


def test_an_event_that_comes_twice_is_noted_once():
    store, event = store_with_training(), event_of(seat_taken(training=1, owner=OTHERS, seat=0))
    for now in (3.0, 4.0):
        store.note_once(record_key(1), *record_of(event), now)
    ((name, data, at),) = store.facts(record_key(1))
    assert (name, at) == ("Joined", 3.0)
    assert data["transaction"] == "0x" + (b"t" * 32).hex()
    assert (data["owner"], data["seat"], data["block"], data["log"]) == (OTHERS, "0", 1, 0)


def test_an_opening_is_told_with_the_hash_that_was_paid_for():
    terms = any_request().terms(KEY_ID)
    opened = Opened(training=1, buyer=US, aggregator=terms.aggregator, deposit=10**18, terms=terms)
    _, data = record_of(event_of(opened))
    assert data["request_hash"] == f"0x{terms.request_hash.hex()}"
    assert "terms" not in data


def test_the_same_amount_twice_in_one_transaction_is_kept_twice():
    store = store_with_training()
    credit = Credited(training=1, account=US, share="validation", amount=7)
    for event in (event_of(credit), event_of(credit).model_copy(update={"log_index": 1})):
        store.note_once(record_key(1), *record_of(event), 0.0)
    assert len(store.facts(record_key(1))) == 2


def test_a_round_is_told_with_its_numbers_and_the_digests_of_models():
    event = RoundRecorded(
        training=1, round=2, record=RECORD, mse_after=5 * 10**20, shapley=(-3, 4, 5), pay_weights=(0, 4, 5)
    )
    name, data = record_of(event_of(event))
    assert name == "RoundRecorded"
    assert data["shapley"] == ["-3", "4", "5"]
    assert (data["mse_before"], data["mse_after"]) == (str(3 * 10**21), str(5 * 10**20))
    assert (data["trainers"], data["last"]) == (str(0b111), False)
    assert data["delivered_digest"] == data["model_digest"] == f"0x{RECORD.model_digest.hex()}"
    assert not data.keys() & {"own", "cross", "record", "transcript_digest"}
