"""What the chain is said to have recorded and paid: another number anywhere is named, by every party."""

import pytest

from protocol.codec import unpack
from protocol.messages import ChainEvent
from protocol.verification.transcript import Entry
from tests.support.roles.transcripts import PARTIES, after, entries_of, party_of


@pytest.mark.parametrize("name", ["buyer", "aggregator", "member"])
@pytest.mark.parametrize("field", ["own", "transcript_digest", "model_digest", "last"])
def test_another_record_on_the_chain_is_named(market, name, field):
    record = market.contract.recorded[1].record
    changed = record.model_copy(update={field: other_than(getattr(record, field))})
    entries = with_event(entries_of(market, party_of(market, name)), "RoundRecorded", 1, record=changed)
    failure = after(market, name, entries).failure
    assert failure is not None
    assert failure.round == 2
    # One unit of an error need not change a contribution, which is rounded.
    assert failure.code in {"other_record", *(("wrong_contributions",) if field == "own" else ())}


def other_than(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    assert isinstance(value, tuple)
    return (value[0] + 1, *value[1:])


@pytest.mark.parametrize("name", PARTIES)
@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("shapley", "wrong_contributions"),
        ("pay_weights", "wrong_pay_weights"),
        ("mse_after", "wrong_error"),
    ],
)
def test_other_contributions_are_named(market, name, field, code):
    value = getattr(market.contract.recorded[0], field)
    other = value + 1 if isinstance(value, int) else other_than(value)
    entries = with_event(entries_of(market, party_of(market, name)), "RoundRecorded", 0, **{field: other})
    failure = after(market, name, entries).failure
    assert (failure.code, failure.message, failure.round) == (code, "RoundRecorded", 1)


def test_a_round_of_the_chain_that_is_left_out_is_missed(market):
    entries = entries_of(market, party_of(market, "trainer"))
    place = next(number for number, one in enumerate(entries) if event_of(one) == "RoundRecorded")
    failure = after(market, "trainer", [*entries[:place], *entries[place + 1 :]]).failure
    assert (failure.code, failure.message) == ("round_out_of_order", "RoundRecorded")


def test_events_stand_where_the_chain_has_them_wherever_they_are_kept(market):
    entries = entries_of(market, party_of(market, "trainer"))
    places = [number for number, one in enumerate(entries) if event_of(one) == "RoundRecorded"]
    first, second = (unpack(ChainEvent, entries[place].content) for place in places)
    entries[places[0]], entries[places[1]] = entries[places[1]], entries[places[0]]
    assert after(market, "trainer", entries).failure is None
    entries[places[0]] = Entry.event(first.model_copy(update={"event": second.event}))
    entries[places[1]] = Entry.event(second.model_copy(update={"event": first.event}))
    assert after(market, "trainer", entries).failure.code == "round_out_of_order"
    entries[places[1]] = Entry.event(second.model_copy(update={"block_number": first.block_number}))
    entries[places[0]] = Entry.event(first.model_copy(update={"log_index": second.log_index}))
    assert after(market, "trainer", entries).failure.code == "two_versions"


@pytest.mark.parametrize("name", ["buyer", "trainer"])
@pytest.mark.parametrize("number", range(7))
def test_a_payment_of_another_amount_is_named(market, name, number):
    amount = market.contract.ledger.credited[number].amount
    for other in (amount + 1, amount - 1):
        entries = entries_of(market, party_of(market, name))
        failure = after(market, name, with_event(entries, "Credited", number, amount=other)).failure
        assert failure.message == "Credited"
        assert failure.code in ("wrong_payment", "wrong_refund")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"improvement": 1}, "wrong_improvement"),
        ({"refund": 1}, "wrong_refund"),
        ({"paid": 1}, "wrong_refund"),
    ],
)
def test_another_settlement_is_named(market, changes, code):
    entries = with_event(entries_of(market, market.buyer), "Settled", **changes)
    failure = after(market, "buyer", entries).failure
    assert (failure.code, failure.message) == (code, "Settled")


def test_a_payment_that_is_left_out_or_made_twice_is_named(market):
    entries = entries_of(market, market.buyer)
    left = [one for one in entries if event_of(one) != "Credited"]
    assert after(market, "buyer", left).failure.code == "missing_payment"
    (first, *_) = market.contract.ledger.credited
    again = Entry.event(market.event_input(first).chain_event)
    assert after(market, "buyer", [*entries, again]).failure.code == "credited_twice"


@pytest.mark.parametrize(
    ("event", "changes", "code"),
    [
        ("Opened", {"deposit": 1}, "wrong_deposit"),
        ("Joined", {"commitment": b"\x01" * 32}, "wrong_commitment"),
        ("Joined", {"seat": 3}, "seat_out_of_order"),
        ("RolesDrawn", {"trainers": 0b1100}, "wrong_roles"),
    ],
)
def test_another_beginning_is_named(market, event, changes, code):
    entries = with_event(entries_of(market, market.buyer), event, **changes)
    assert after(market, "buyer", entries).failure.code == code


def event_of(entry: Entry) -> str | None:
    return None if entry.kind != "event" else str(unpack(ChainEvent, entry.content).event.event)


def with_event(entries: list[Entry], kind: str, number: int = 0, **changes: object) -> list[Entry]:
    """The entries with other fields in the event of this kind and number."""
    place = [place for place, one in enumerate(entries) if event_of(one) == kind][number]
    chain_event = unpack(ChainEvent, entries[place].content)
    event = chain_event.event.model_copy(update=changes)
    entries[place] = Entry.event(chain_event.model_copy(update={"event": event}))
    return entries
