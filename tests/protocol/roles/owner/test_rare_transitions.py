"""What an owner does when the unlikely happens: other data sets or policies, roles drawn without it."""

from collections.abc import Callable

import pytest

from protocol.codec import pack
from protocol.marketplace import Cancel, RolesDrawn
from protocol.messages import Complaint
from protocol.owner_policy import OwnerPolicy
from protocol.roles.engine.inputs import (
    UNKNOWN_TRAINING,
    CallRefused,
    CatalogueChanged,
    Input,
    MessageReceived,
    PolicyChanged,
)
from tests.support.pure_market import PureMarket
from tests.support.pure_party import Party, make_statistic
from tests.support.small_markets import COLUMNS, small_data, small_market, small_request

BY_HAND, AUTOMATIC = OwnerPolicy(automatic=False), OwnerPolicy(automatic=True)
DIVERGING = small_request(schedule={"rounds": 2, "local_steps": 2, "step_size": "0.9"})


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
    owner.private["data_set:rows"] = make_statistic(COLUMNS, small_data()[0]).to_bytes()


def without_rows(owner: Party) -> None:
    owner.private.clear()


def automatic(owner: Party) -> None:
    owner.policy = pack(AUTOMATIC)


def rows_and_automatic(owner: Party) -> None:
    with_rows(owner)
    automatic(owner)


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


@pytest.mark.parametrize("change", [CatalogueChanged(), PolicyChanged()], ids=lambda item: str(item.input))
@pytest.mark.parametrize(("phase", "meanwhile"), [("waiting", rows_and_automatic), ("ready", automatic)])
def test_a_step_that_would_diverge_is_declined(
    change: Input, phase: str, meanwhile: Callable[[Party], None]
) -> None:
    market, owner = owner_in(phase, schedule=DIVERGING["schedule"])
    meanwhile(owner)
    market.deliver(owner, change)
    assert owner.phase == "declined"
    assert owner.facts[-1].name == "step_size_diverges"


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
def test_a_training_that_is_gone_before_anything_was_worked_on_does_not_count(phase: str) -> None:
    market, owner = owner_in(phase, AUTOMATIC)
    assert owner.values
    market.deliver(owner, CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING))
    assert owner.shown == "FAILED(not_on_chain)"
    assert not owner.values


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


def test_a_complaint_is_a_fact_and_changes_nothing() -> None:
    market, owner = owner_in("running", AUTOMATIC)
    before = owner.state
    complaint = Complaint(code="bad_opening", accused=market.buyer.address, evidence=())
    signed = market.message(market.aggregator, owner, complaint)
    market.deliver(owner, MessageReceived(signed=signed))
    assert owner.state == before
    assert owner.facts[-1].data == {"type": "complaint", "round": 0}
