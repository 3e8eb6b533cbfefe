"""An owner commits before it asks for a seat, shows it when it is drawn, and is bound to it from then on."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.codec import unpack
from protocol.join_digests import checked_commitment
from protocol.marketplace import Closed, Joined
from protocol.messages import InvitationAnswer, OwnerDecision
from protocol.messages.rounds import CheckedReady, CheckedStarted
from protocol.owner_policy import OwnerPolicy
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived, TimerFired
from protocol.roles.engine.state import replace
from protocol.roles.owner.committing import OwnerSecrets
from protocol.roles.rounds.started import commitments_of
from tests.support.groups import market_identity, small_group
from tests.support.roles.checked_markets import ROLES, checked_market, checked_request
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, make_statistic, owning_rows
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, without

VALIDATORS = (2, 3)


def market_until(phase: str, **options: Any) -> tuple[PureMarket, Party]:
    """A market whose first owner has just come to this phase."""
    market = checked_market(VALIDATORS, owners=4, **options)
    owner = market.owners[0]
    while owner.phase != phase:
        market.deliver_next()
    return market, owner


def sent_by(market: PureMarket, owner: Party, name: str) -> list[Any]:
    return [one for one in market.sent(name) if one.envelope.sender == owner.address]


def facts_of(owner: Party) -> list[str]:
    return [fact.name for fact in owner.facts]


# ---- committing ----


def test_an_owner_that_accepts_tells_a_digest_of_card_and_commitments() -> None:
    market, owner = market_until("initiated")
    (answer,) = sent_by(market, owner, "invitation_answer")
    body, state = body_of(answer, InvitationAnswer), owner.decoded
    key = market.key.public_key
    commitments = commitments_of(owner.address, state.committed)
    commitments.require(key, small_group(), market.request.parameters)
    digest = commitments.digest(market_identity(key), key)
    assert body.committed == digest
    assert body.commitment == state.commitment == checked_commitment(state.card, digest)


def test_what_opens_the_commitments_is_stored_with_that_step_and_in_no_text() -> None:
    _, owner = market_until("initiated")
    state = owner.decoded
    assert state.secrets.digest in owner.blobs
    secrets = unpack(OwnerSecrets, owner.blobs[state.secrets.digest])
    assert len(secrets.maps) == 3
    for text in (repr(state), repr(secrets)):
        for vector in (*secrets.maps, secrets.gram):
            assert str(vector.hiding) not in text
            assert not any(str(value) in text for value in vector.values if abs(value) > 1 << 32)


def test_asking_again_tells_the_same_and_not_more() -> None:
    market, owner = market_until("initiated")
    before = owner.decoded
    market.intercept = without("admission_answer")
    owner.timers.pop("admission")
    market.deliver(owner, TimerFired(name="admission"))
    first, second = (body_of(one, InvitationAnswer) for one in sent_by(market, owner, "invitation_answer"))
    assert first == second
    assert owner.decoded.committed == before.committed


def test_two_trainings_have_other_commitments_to_the_same_rows() -> None:
    """κ and the base are fresh: nobody sees that two owners, or two trainings, have the same rows."""
    market = checked_market(VALIDATORS, data=[small_data(owners=4)[0]] * 4)
    while any(owner.phase != "initiated" for owner in market.owners):
        market.deliver_next()
    committed = [owner.decoded.committed for owner in market.owners]
    assert len({one.gram for one in committed}) == len({one.maps[0] for one in committed}) == 4
    assert len({one.base for one in committed}) == 4


def test_a_person_s_yes_commits_and_a_no_does_not() -> None:
    policy = OwnerPolicy(budget=AMPLE)
    for accept, phase in ((True, "initiated"), (False, "declined")):
        market = small_market(checked_request(), validators=list(VALIDATORS), policy=policy, roles=ROLES)
        owner = market.owners[0]
        while owner.phase != "ready":
            market.deliver_next()
        decision = market.message(owner, owner, OwnerDecision(training=TRAINING, accept=accept))
        market.deliver(owner, MessageReceived(signed=decision))
        assert owner.phase == phase
        answer = body_of(sent_by(market, owner, "invitation_answer")[-1], InvitationAnswer)
        assert (answer.committed is not None) == accept


def test_without_its_data_set_an_owner_does_not_join_and_says_nothing() -> None:
    market = checked_market(VALIDATORS, owners=4)
    owner = market.owners[0]
    del owner.private["data_set:rows"]
    market.run()
    assert owner.phase == "failed"
    assert owner.decoded.failure == "data_set_gone"
    assert sent_by(market, owner, "invitation_answer") == []
    assert "data_set_does_not_match" in facts_of(owner)


def test_rows_beyond_what_can_be_committed_to_are_not_joined_with() -> None:
    """Rows that their card does not hold may have any moments: a proof would tell how large they are."""
    market = checked_market(VALIDATORS, owners=4)
    owner = market.owners[0]
    owner.private["data_set:rows"] = make_statistic(COLUMNS, 50 * small_data()[0]).to_bytes()
    while owner.phase in ("", "waiting"):
        market.deliver_next()
    assert owner.phase == "failed"
    assert sent_by(market, owner, "invitation_answer") == []


# ---- the seat ----


def test_in_its_seat_an_owner_is_bound_to_the_rows_it_committed_to() -> None:
    market, owner = market_until("initiated")
    rows = owner.decoded.committed.rows
    owner.private.update(owning_rows(COLUMNS, small_data(owners=4, rows=40)[0]))
    while owner.phase == "initiated":
        market.deliver_next()
    assert owner.decoded.rows == rows
    (ready,) = sent_by(market, owner, "checked_ready")
    assert body_of(ready, CheckedReady).committed.rows == rows


def test_nothing_of_rows_is_told_before_the_draw() -> None:
    market, owner = market_until("initiated")
    while owner.phase == "initiated":
        assert not sent_by(market, owner, "checked_ready")
        market.deliver_next()
    assert len(sent_by(market, owner, "checked_ready")) == 1


def seat_of_ours(market: PureMarket, owner: Party, **changes: Any) -> EventConfirmed:
    state = owner.decoded
    joined = Joined(
        training=TRAINING,
        owner=owner.address,
        seat=len(state.parties.seats),
        commitment=state.commitment,
        nonce_digest=b"n" * 32,
    )
    return market.event_input(replace(joined, **changes))


def test_a_seat_taken_with_lost_commitments_is_kept_without_rows() -> None:
    market, owner = market_until("initiated")
    market.deliver(owner, seat_of_ours(market, owner, commitment=b"l" * 32))
    assert (owner.decoded.rows, owner.decoded.nonce) == (0, b"")
    assert facts_of(owner)[-1] == "data_set_does_not_match"
    market.deliver(owner, market.event_input(Closed(training=TRAINING, draw_block=1)))
    assert "reveal" not in [call for _, call in market.contract.calls]


def test_an_owner_whose_state_was_lost_proves_nothing_and_asks_nobody() -> None:
    """Its seat is on the chain when it is invited anew; what opens its commitments went with the state."""
    market, owner = market_until("initiated")
    joined = seat_of_ours(market, owner)
    invitation = next(
        one
        for one in market.wire
        if one.envelope.type == "invitation" and one.envelope.recipient == owner.address
    )
    opened = market.event_input(market.contract.events[0])
    owner.state, owner.blobs = None, {}
    sent = len(market.wire)
    for item in (opened, joined, MessageReceived(signed=invitation)):
        market.deliver(owner, item)
    assert owner.phase == "initiated"
    state = owner.decoded
    assert (state.committed, state.secrets, state.rows) == (None, None, 0)
    assert len(market.wire) == sent


# ---- the start ----


def started(market: PureMarket, owner: Party) -> tuple[Any, CheckedStarted]:
    """The aggregator's start as it is about to reach an owner."""
    signed = market.run_until("checked_started", owner)
    return signed, body_of(signed, CheckedStarted)


def other_commitments(body: CheckedStarted, place: int) -> CheckedStarted:
    """An owner's Gram commitment in another's name."""
    owners = list(body.owners)
    committed = replace(owners[place].committed, gram=owners[place - 1].committed.gram)
    owners[place] = replace(owners[place], committed=committed)
    return replace(body, owners=tuple(owners))


def more_rows(body: CheckedStarted) -> CheckedStarted:
    owners = list(body.owners)
    committed = replace(owners[1].committed, rows=owners[1].committed.rows + 1)
    owners[1] = replace(owners[1], committed=committed)
    return replace(body, owners=tuple(owners))


def another_card(body: CheckedStarted) -> CheckedStarted:
    owners = list(body.owners)
    owners[1] = replace(owners[1], card=b"c" * 32)
    return replace(body, owners=tuple(owners))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: other_commitments(body, 1), "wrong_commitment"),
        (more_rows, "wrong_commitment"),
        (another_card, "wrong_commitment"),
        (lambda body: replace(body, owners=tuple(reversed(body.owners))), "wrong_rows"),
        (lambda body: replace(body, trainers=body.validators, validators=body.trainers), "wrong_roles"),
    ],
    ids=["another's commitment", "more rows", "another card", "another order", "other roles"],
)
def test_a_start_with_other_commitments_than_the_chain_s_is_refused(
    change: Callable[[CheckedStarted], CheckedStarted], code: str
) -> None:
    market, owner = market_until("running")
    _, body = started(market, owner)
    wrong = market.message(market.aggregator, owner, change(body))
    market.deliver(owner, MessageReceived(signed=wrong))
    assert owner.violations[-1].code == code
    assert owner.decoded.owners is None


def test_a_start_is_told_once_and_by_the_aggregator() -> None:
    market, owner = market_until("running")
    signed, body = started(market, owner)
    forged = market.message(market.owners[1], owner, body)
    market.deliver(owner, MessageReceived(signed=forged))
    assert owner.violations[-1].code == "wrong_sender"
    market.deliver(owner, MessageReceived(signed=signed))
    assert owner.decoded.owners is not None
    again = market.message(market.aggregator, owner, body)
    market.deliver(owner, MessageReceived(signed=again))
    assert owner.violations[-1].code == "already_started"


def test_an_owner_that_the_start_leaves_out_says_so_and_waits() -> None:
    market, owner = market_until("running")
    _, body = started(market, owner)
    fewer = replace(body, owners=tuple(one for one in body.owners if one.owner != owner.address))
    signed = market.message(market.aggregator, owner, fewer)
    market.deliver(owner, MessageReceived(signed=signed))
    assert facts_of(owner)[-1] == "left_out"
    assert owner.decoded.owners is None
