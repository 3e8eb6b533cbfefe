"""From the close of the joining to the draw: nonces are told once, and every party sees to it."""

from typing import Any

import pytest

from protocol.codec import pack, unpack
from protocol.data_card import DataCard
from protocol.join_digests import checked_commitment, nonce_digest
from protocol.marketplace import Closed, Join
from protocol.payment import abandoned
from protocol.roles.engine.inputs import CallRefused, EventConfirmed
from tests.support.roles.admitting import admitted_join
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import body_of, small_data, small_market, small_request
from tests.support.seats import any_join, reveal_nonce


def calls_of(market: PureMarket) -> list[tuple[Party, Any]]:
    """Every call that is asked for from now on; all are carried out."""
    calls: list[tuple[Party, Any]] = []
    call = market.call

    def noting(party: Party, asked: Any) -> None:
        calls.append((party, asked))
        call(party, asked)

    market.call = noting  # type: ignore[method-assign]
    return calls


def losing(market: PureMarket, name: str, *parties: Party) -> None:
    """Calls of this name by these parties never arrive."""
    call = market.call

    def lossy(party: Party, asked: Any) -> None:
        if not (asked.call == name and party in parties):
            call(party, asked)

    market.call = lossy  # type: ignore[method-assign]


def until_closed(market: PureMarket) -> None:
    while market.contract.status != "drawing":
        market.deliver_next()


def next_event(market: PureMarket, party: Party, kind: type) -> EventConfirmed:
    """Deliver until an event of this kind is under way to the party; it is taken off the queue."""
    while True:
        for position, (address, item) in enumerate(market.pending):
            if (
                address == party.address
                and isinstance(item, EventConfirmed)
                and isinstance(item.chain_event.event, kind)
            ):
                del market.pending[position]
                return item
        market.deliver_next()


def happened(item: EventConfirmed, at: float) -> EventConfirmed:
    """The event in a block of another time."""
    return EventConfirmed(chain_event=item.chain_event.model_copy(update={"timestamp": int(at)}))


# ---- what an owner joins with ----


def test_an_owner_joins_with_its_card_and_what_it_has_committed_to() -> None:
    market = small_market()
    calls = calls_of(market)
    until_closed(market)
    joins = {party.address: call for party, call in calls if isinstance(call, Join)}
    assert joins.keys() == {owner.address for owner in market.owners}
    for owner in market.owners:
        card = unpack(DataCard, owner.private["card:rows"])
        [told] = [one for one in market.sent("invitation_answer") if one.envelope.sender == owner.address]
        expected = checked_commitment(card.hash(), body_of(told).committed)
        assert joins[owner.address].commitment == expected


def test_a_nonce_is_its_owner_s_secret_until_it_is_revealed() -> None:
    market = small_market()
    calls = calls_of(market)
    until_closed(market)
    everything = b"".join(pack(message) for message in market.wire) + b"".join(pack(c) for _, c in calls)
    nonces = {owner.decoded.nonce for owner in market.owners}
    assert len(nonces) == 4
    for owner in market.owners:
        nonce = owner.decoded.nonce
        shown = repr(owner.decoded) + repr(owner.facts) + repr(reveal_nonce(nonce=nonce))
        assert len(nonce) == 32
        assert nonce not in everything
        assert repr(nonce) not in shown
        assert nonce.hex() not in shown
        assert nonce_digest(1, owner.address, nonce) in everything
        assert not owner.values.keys() - {"joined:1"}


def test_the_same_nonce_is_revealed_however_often_the_close_is_told() -> None:
    market = small_market()
    until_closed(market)
    calls = calls_of(market)
    owner = market.owners[0]
    kept = owner.decoded.nonce
    stored = owner.state
    for _ in range(2):  # a daemon that was killed before its step was written takes it again
        owner.state = stored
        market.deliver(owner, market.event_input(Closed(training=1, draw_block=1)))
    owner.state = stored
    market.finish()
    assert [call.nonce for party, call in calls if call.call == "reveal" and party is owner] == [kept] * 3
    assert market.buyer.shown == "FINISHED"


# ---- who has the roles drawn ----


@pytest.mark.parametrize("stuck", range(4))
def test_every_party_has_the_roles_drawn_where_those_before_it_do_not(stuck: int) -> None:
    market = small_market()
    parties = [market.aggregator, market.buyer, *market.owners]
    losing(market, "draw", *parties[:stuck])
    market.finish()
    assert market.contract.status == "settled"
    drew = [sender for sender, call in market.contract.calls if call == "draw"]
    assert drew == [parties[stuck].address]


def test_the_roles_are_drawn_as_soon_as_the_last_has_revealed() -> None:
    market = small_market()
    until_closed(market)
    closed_at = market.now
    market.run_until("checked_started")
    assert market.now == closed_at


# ---- who does not reveal ----


@pytest.mark.parametrize("stuck", range(3))
def test_an_owner_that_does_not_reveal_loses_its_seat_and_nothing_else_is_lost(stuck: int) -> None:
    market = small_market(data=small_data(owners=6))
    silent = market.owners[2]
    losing(market, "reveal", silent)
    losing(market, "draw", *[market.aggregator, market.buyer][:stuck])
    until_closed(market)
    closed_at = market.now
    market.finish()
    seat = market.contract.seats.index(silent.address)
    assert market.contract.drawn == 63 ^ 1 << seat
    assert market.now >= closed_at + market.request.deadlines.reveal_s
    assert silent.shown == "FAILED(not_revealed)"
    assert not silent.timers
    assert not silent.values
    others = [party.shown for party in market.parties.values() if party is not silent]
    assert set(others) == {"FINISHED"}
    assert_model_of_twin(market)
    told = {message.envelope.recipient for message in market.sent("checked_started")}
    assert silent.address not in told
    assert not market.sent("participant_dropped")
    assert not [v for party in market.parties.values() for v in party.violations]


def test_a_stranger_with_a_seat_costs_the_time_to_reveal() -> None:
    market = small_market(data=small_data(owners=5))
    stranger = market.owners[4]
    market.admitted = market.admitted[:4]
    market.post(market.run_until("invitation", market.owners[0]))
    market.call(stranger, admitted_join(market, stranger.address, any_join(training=1)))
    until_closed(market)
    closed_at = market.now
    market.run()
    while not market.sent("checked_started"):
        assert market.tick()
        market.run()
    assert market.contract.seats[0] == stranger.address
    assert market.contract.drawn == 0b11110
    assert market.now == closed_at + market.request.deadlines.reveal_s + 1


@pytest.mark.parametrize("stuck", range(3))
def test_with_too_few_nonces_everybody_has_the_training_cancelled_at_once(stuck: int) -> None:
    market = small_market(data=small_data(owners=5))
    losing(market, "reveal", *market.owners[:2])
    losing(market, "cancel", *[market.aggregator, market.buyer][:stuck])
    until_closed(market)
    closed_at = market.now
    market.finish()
    assert market.contract.status == "cancelled"
    deadlines = market.request.deadlines
    assert market.now <= closed_at + deadlines.reveal_s + (stuck + 1) * deadlines.chain_s
    assert market.now < market.contract.ends_at
    assert {party.shown for party in market.parties.values()} == {"FAILED(too_few_revealed)"}
    assert not any(party.timers for party in market.parties.values())


@pytest.mark.parametrize(("late", "left"), [(0, 601), (100, 501), (700, 1), (-50, 601)])
def test_the_time_to_reveal_counts_from_the_block_of_the_close(late: int, left: int) -> None:
    """However late a party sees it; a chain whose clock is ahead of ours has not got there before us."""
    market = small_market()
    event = next_event(market, market.aggregator, Closed)
    market.deliver(market.aggregator, happened(event, market.now - late))
    assert market.aggregator.timers["draw"] == market.now + left
    event = next_event(market, market.buyer, Closed)
    market.deliver(market.buyer, happened(event, market.now - late))
    assert market.buyer.timers["draw"] == market.now + left + market.request.deadlines.chain_s


def joined_with_rows() -> tuple[PureMarket, Party]:
    """A market of five owners, one of which has just asked for a seat."""
    market = small_market(data=small_data(owners=5))
    owner = market.owners[1]
    while not [one for one in market.contract.calls if one == (owner.address, "join")]:
        market.deliver_next()
    return market, owner


def test_an_owner_whose_data_set_has_gone_reveals_and_works_with_what_it_has_committed_to() -> None:
    market, owner = joined_with_rows()
    owner.private.clear()
    market.finish()
    assert (owner.address, "reveal") in market.contract.calls
    assert owner.shown == market.buyer.shown == "FINISHED"


def test_an_owner_whose_data_set_has_another_card_since_it_was_admitted_stays_with_the_admitted_one() -> None:
    """The commitment on chain and both admissions are for the card that it had."""
    market, owner = joined_with_rows()
    card = unpack(DataCard, owner.private["card:rows"])
    owner.private["card:rows"] = pack(card.model_copy(update={"licence": "another"}))
    market.finish()
    [ready] = [one for one in market.sent("checked_ready") if one.envelope.sender == owner.address]
    assert body_of(ready).card == card.hash()
    assert owner.shown == market.buyer.shown == "FINISHED"


def test_an_owner_is_told_that_its_nonce_was_refused() -> None:
    market = small_market()
    until_closed(market)
    owner = market.owners[0]
    market.deliver(owner, CallRefused(call=reveal_nonce(), code="too_late"))
    assert (owner.facts[-1].name, owner.facts[-1].data) == ("reveal_refused", {"code": "too_late"})


# ---- the price of leaving ----


@pytest.mark.parametrize("points", [0, 200, 1000])
def test_a_buyer_that_leaves_once_roles_are_drawn_pays_those_who_were(points: int) -> None:
    request = small_request()
    request["payment"] = {**request["payment"], "abandon_bps": points}
    market = small_market(request, small_data(owners=6))
    silent = market.owners[2]
    losing(market, "reveal", silent)
    while not market.sent("metric_opening_request"):
        market.run(1)
        if not market.pending:
            assert market.tick()
    market.silent.add(market.buyer.address)
    market.finish()
    drawn = [owner.address for owner in market.owners if owner is not silent]
    pay = abandoned(market.request, drawn)
    ledger = market.contract.ledger
    assert ledger is not None
    assert market.contract.status == "cancelled"
    assert pay.total() == 10**18 * points // 10_000
    assert {(one.account, one.share): one.amount for one in ledger.credited} == {
        **pay,
        (market.buyer.address, "refund"): 10**18 - pay.total(),
    }
    assert ledger.withdrawn == {owner: amount for (owner, _), amount in pay.items()}
