"""What an owner does when the unlikely happens: other data sets or policies, roles drawn without it."""

from collections.abc import Callable

import pytest

from protocol.codec import pack, unpack
from protocol.marketplace import Cancel, Closed, RolesDrawn
from protocol.messages import Complaint
from protocol.owner_policy import OwnerPolicy
from protocol.roles.engine.inputs import (
    UNKNOWN_TRAINING,
    CallRefused,
    CatalogueChanged,
    Input,
    MessageReceived,
    PolicyChanged,
    TimerFired,
)
from protocol.roles.engine.state import replace
from protocol.roles.owner.budget import JOIN_NUMBERS, Joining, most_numbers
from tests.support.roles.admitting import admitted_join
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, owning_rows
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, small_request
from tests.support.seats import join_with_nonce, seat_taken

BY_HAND, AUTOMATIC = OwnerPolicy(budget=AMPLE), OwnerPolicy(automatic=True, budget=AMPLE)


def owner_in(phase: str, policy: OwnerPolicy = BY_HAND, **request: object) -> tuple[PureMarket, Party]:
    """A market whose first owner has just come to this phase; a waiting one has an invitation and no data."""
    market = small_market(small_request(**request), policy=policy)
    owner = market.owners[0]
    if phase == "waiting":
        owner.private.clear()
        market.post(market.run_until("invitation", owner))
        market.run(1)
        while owner.decoded.request is None:
            market.deliver_next()
    while owner.phase != phase:
        market.deliver_next()
    return market, owner


def with_rows(owner: Party) -> None:
    owner.private.update(owning_rows(COLUMNS, small_data()[0]))


def without_rows(owner: Party) -> None:
    owner.private.clear()


def automatic(owner: Party) -> None:
    owner.policy = pack(AUTOMATIC)


def rows_and_automatic(owner: Party) -> None:
    with_rows(owner)
    automatic(owner)


def two_data_sets(owner: Party) -> None:
    owner.private.update(owning_rows(COLUMNS, small_data()[0], "more"))


def nothing(_owner: Party) -> None:
    """Something else has changed."""


@pytest.mark.parametrize("change", [CatalogueChanged(), PolicyChanged()], ids=lambda item: str(item.input))
@pytest.mark.parametrize(
    ("phase", "meanwhile", "after"),
    [
        ("waiting", nothing, "waiting"),
        ("waiting", with_rows, "ready"),
        ("waiting", rows_and_automatic, "initiated"),
        ("ready", nothing, "ready"),
        ("ready", without_rows, "waiting"),
        ("ready", automatic, "initiated"),
    ],
)
def test_a_training_that_waits_is_looked_at_again(
    change: Input, phase: str, meanwhile: Callable[[Party], None], after: str
) -> None:
    market, owner = owner_in(phase)
    meanwhile(owner)
    market.deliver(owner, change)
    assert owner.phase == after


# ---- a seat that the owner does not know of: its store was restored from a backup ----


def takes_seat(market: PureMarket, owner: Party) -> None:
    market.deliver(owner, market.event_input(seat_taken(training=1, owner=owner.address, seat=0)))


@pytest.mark.parametrize(
    ("phase", "meanwhile", "after"),
    [
        ("waiting", nothing, "waiting"),
        ("waiting", with_rows, "initiated"),
        ("waiting", rows_and_automatic, "initiated"),
        ("ready", nothing, "initiated"),
        ("ready", without_rows, "waiting"),
        ("ready", two_data_sets, "initiated"),
    ],
)
def test_a_seat_is_taken_up_where_a_data_set_matches(
    phase: str, meanwhile: Callable[[Party], None], after: str
) -> None:
    market, owner = owner_in(phase)
    meanwhile(owner)
    takes_seat(market, owner)
    assert owner.phase == after
    assert owner.decoded.parties.seats == (owner.address,)
    assert (owner.address, "join") not in market.contract.calls
    assert bool(owner.values) == (after == "initiated")


def test_a_seat_is_worked_on_with_the_commitments_alone_that_it_was_taken_with() -> None:
    market, owner = owner_in("initiated", AUTOMATIC)
    takes_seat(market, owner)
    [told] = [fact.data for fact in owner.facts if fact.name == "data_set_does_not_match"]
    assert told["reasons"] == ["our seat was taken with commitments that are lost"]
    assert owner.decoded.rows == 0


@pytest.mark.parametrize("change", [CatalogueChanged(), PolicyChanged()], ids=lambda item: str(item.input))
def test_a_seat_that_waits_for_a_data_set_is_kept_without_rows_once_one_matches(change: Input) -> None:
    market, owner = owner_in("ready")
    without_rows(owner)
    takes_seat(market, owner)
    two_data_sets(owner)
    market.deliver(owner, change)
    assert owner.phase == "initiated"
    assert owner.decoded.rows == 0


def test_a_seat_is_noted_before_the_invitation() -> None:
    market = small_market(policy=BY_HAND)
    owner = market.owners[0]
    invitation = market.run_until("invitation", owner)
    while owner.state is None or owner.decoded.opened is None:
        market.deliver_next()
    takes_seat(market, owner)
    assert (owner.phase, owner.decoded.parties.seats) == ("waiting", (owner.address,))
    market.deliver(owner, MessageReceived(signed=invitation))
    assert owner.phase == "initiated"


def test_a_nonce_with_which_the_seat_was_not_taken_is_not_revealed() -> None:
    market, owner = owner_in("initiated", AUTOMATIC)
    assert owner.decoded.nonce
    seat = seat_taken(training=1, owner=owner.address, seat=0)
    seat = seat.model_copy(update={"commitment": owner.decoded.commitment})
    market.deliver(owner, market.event_input(seat))
    assert owner.decoded.nonce == b""
    assert owner.decoded.rows > 0
    step = market.deliver(owner, market.event_input(Closed(training=1, draw_block=1)))
    assert step is not None
    assert "call" not in {effect.effect for effect in step.effects}


def restored_after_joining(nonce: bytes) -> tuple[PureMarket, Party]:
    """A market with five owners, one of which knows nothing of the seat that it took with this nonce."""
    market = small_market(data=small_data(owners=5), policy=AUTOMATIC)
    owner = market.owners[0]
    owner.policy = pack(BY_HAND)
    while owner.phase != "ready":
        market.deliver_next()
    market.call(owner, admitted_join(market, owner.address, join_with_nonce(owner.address, nonce=nonce)))
    while market.contract.status != "drawing":
        market.deliver_next()
    return market, owner


def test_an_owner_restored_before_it_had_revealed_has_lost_its_nonce_and_its_seat() -> None:
    market, owner = restored_after_joining(b"n" * 32)
    market.finish()
    assert (owner.address, "reveal") not in market.contract.calls
    assert market.buyer.shown == "FINISHED"
    assert owner.shown == "FAILED(data_set_gone)"
    assert not owner.values


def test_roles_that_were_drawn_wait_for_a_data_set_in_a_seat() -> None:
    market, owner = owner_in("ready")
    without_rows(owner)
    takes_seat(market, owner)
    market.deliver(owner, market.event_input(RolesDrawn(training=1, trainers=1, validators=6)))
    assert owner.phase == "waiting"
    with_rows(owner)
    market.deliver(owner, CatalogueChanged())
    assert owner.shown == "FAILED(data_set_gone)"


# ---- without a seat ----


def numbers_of(owner: Party) -> list[int]:
    return [unpack(Joining, content).numbers for content in owner.values.values()]


@pytest.mark.parametrize(
    ("phase", "policy"), [("waiting", BY_HAND), ("ready", BY_HAND), ("initiated", AUTOMATIC)]
)
def test_roles_that_were_drawn_without_this_owner(phase: str, policy: OwnerPolicy) -> None:
    market, owner = owner_in(phase, policy)
    market.deliver(owner, market.event_input(RolesDrawn(training=1, trainers=3, validators=12)))
    assert owner.shown == "FAILED(joined_too_late)"
    assert not owner.values
    assert not owner.timers


@pytest.mark.parametrize("phase", ["initiated", "running"])
def test_a_training_that_is_gone_before_anything_was_worked_on_costs_what_was_told(phase: str) -> None:
    market, owner = owner_in(phase, AUTOMATIC)
    assert numbers_of(owner) == [most_numbers(market.request)]
    market.deliver(owner, CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING))
    assert owner.shown == "FAILED(not_on_chain)"
    assert numbers_of(owner) == ([JOIN_NUMBERS] if phase == "running" else [])


@pytest.mark.parametrize(("kind", "code"), [("Opened", "opened_twice"), ("invitation", "invited_twice")])
def test_a_training_is_opened_and_offered_once(kind: str, code: str) -> None:
    market, owner = owner_in("ready")
    again = [
        item
        for item in owner.inbox
        if (isinstance(item, MessageReceived) and item.signed.envelope.type == kind)
        or (not isinstance(item, MessageReceived) and kind == "Opened")
    ]
    market.deliver(owner, again[0])
    assert owner.phase == "ready"
    assert owner.violations[-1].code == code


@pytest.mark.parametrize("phase", ["waiting", "ready"])
def test_the_wait_for_an_opening_is_over_once_it_is_there(phase: str) -> None:
    market, owner = owner_in(phase)
    before = owner.state
    market.deliver(owner, TimerFired(name="opened"))
    assert owner.state == before
    assert owner.facts[-1].data == {"phase": phase, "input": "timer:opened"}


def test_a_complaint_is_a_fact_and_a_sign_of_life() -> None:
    market, owner = owner_in("running", AUTOMATIC)
    before = owner.decoded
    complaint = Complaint(code="bad_opening", accused=market.buyer.address, evidence=())
    signed = market.message(market.aggregator, owner, complaint)
    market.deliver(owner, MessageReceived(signed=signed))
    assert owner.decoded == replace(before, heard_at=owner.decoded.heard_at)
    told = {"accused": complaint.accused, "round": 0, "code": "bad_opening"}
    assert (owner.facts[-1].name, owner.facts[-1].data) == ("complaint", told)
