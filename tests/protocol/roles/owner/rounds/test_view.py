"""What a member has read of an attempt's evidence its later steps know, and nobody else."""

import dataclasses

import pytest

from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentMask
from protocol.messages import TrainingFailed
from protocol.messages.rounds import RoundEvidence
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.worked_out import WORK
from protocol.roles.owner.rounds.view import RoundView, view_of
from tests.support.roles.checked_owners import Machined, PlayedAttempt, played


@pytest.fixture
def shown() -> tuple[PlayedAttempt, Machined]:
    """An attempt in which one checker was shown the evidence just now."""
    WORK.clear()
    play = played().copy()
    member = play.checkers[0]
    member.step(play.signed(play.world.aggregator, member.address, play.measured.evidence))
    return play, member


def view(member: Machined, **changes) -> RoundView:
    state = replace(member.state, **changes)
    return view_of(state, state.attempt, member.context())


def test_what_was_checked_when_evidence_came_is_known_in_later_steps(shown):
    _, member = shown
    assert {"claims", "answer", "vectors"} <= set(view(member).known)
    assert view(member).claims is view(member).claims


def test_another_party_in_the_process_reads_for_itself(shown):
    play, member = shown
    state, context = member.state, dataclasses.replace(member.context(), address=play.checkers[1].address)
    assert "claims" not in view_of(state, state.attempt, context).known


def test_what_it_is_read_against_is_part_of_what_is_known(shown):
    _, member = shown
    opened = member.state.opened
    assert "claims" not in view(member, opened=opened.model_copy(update={"training": 2})).known
    assert "claims" not in view(member, opened=opened.model_copy(update={"buyer": member.address})).known
    assert "claims" not in view(member, owners=None).known


def test_other_evidence_is_read_as_if_for_the_first_time(shown):
    play, member = shown
    updates = play.measured.evidence.updates
    forged = replace(updates[0], signature=updates[1].signature)
    reference, blob = store(replace(play.measured.evidence, updates=(forged, *updates[1:])))
    member.blobs[blob.digest] = blob.content
    other = view(member, attempt=replace(member.state.attempt, evidence=reference))
    for _ in range(2):
        with pytest.raises(ProtocolViolation, match="bad_signature"):
            _ = other.claims


def test_forgotten_views_are_read_again(shown):
    _, member = shown
    assert view(member).known
    WORK.clear()
    assert not view(member).known
    assert view(member).claims


def test_masks_and_tables_are_worked_out_for_a_step_alone(shown):
    _, member = shown
    one = view(member)
    assert all((one.products, one.projection, one.metric_proofs, one.update_proofs))
    assert not {"mask", "products", "projection", "metric_proofs", "update_proofs"} & set(one.known)


def test_nothing_that_later_steps_know_holds_the_masks(shown):
    _, member = shown
    known = view(member).known
    assert known
    assert not any(isinstance(value, RoundEvidence | MomentMask) for value in known.values())


def test_an_attempt_takes_the_place_of_the_one_before_it(shown):
    _, member = shown
    first, state = view(member), member.state
    attempt = replace(state.attempt, attempt=2)
    assert "claims" not in view_of(state, attempt, member.context()).known
    assert "claims" in first.known
    assert "claims" not in view(member).known


def test_a_training_that_is_given_up_is_forgotten(shown):
    play, member = shown
    assert view(member).known
    body = TrainingFailed(code="buyer_silent", fault=None, last_round=0, silent=())
    member.step(play.signed(play.world.aggregator, member.address, body))
    assert not view(member).known
