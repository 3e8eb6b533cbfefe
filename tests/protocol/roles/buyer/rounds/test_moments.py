"""What an aggregator cannot have the buyer multiply, and members that it cannot choose."""

from typing import Any

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages.rounds import AttemptAnnounced
from protocol.messages.rounds.moments import LeftOutMember
from protocol.roles.buyer.rounds.exchanges import on_attempt_announced, on_checked_started, on_moment_request
from protocol.roles.buyer.state import RunningState
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import replace
from protocol.types import RoundAttempt
from tests.support.roles.checked_attempt import answers, measuring
from tests.support.roles.checked_world import CheckedAttempt, checked_attempt, shown_start


@pytest.fixture(scope="module")
def world() -> CheckedAttempt:
    return checked_attempt()


def asked(world: CheckedAttempt, state: RunningState, at: tuple[int, int], **changes: Any) -> Any:
    body = world.moment_request.model_copy(update=changes)
    return on_moment_request(state, world.sent(world.aggregator, body, at=at), world.context())


def refused(world: CheckedAttempt, state: RunningState, at: tuple[int, int], **changes: Any) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        asked(world, state, at, **changes)
    return caught.value.code


def test_moments_are_answered_once_for_each_attempt(world: CheckedAttempt) -> None:
    """A second answer would be a second equation about the same masked weights."""
    state = measuring().state
    assert refused(world, state, (1, 1)) == "asked_twice"
    second = asked(world, state, (1, 2)).state
    assert refused(world, second, (1, 2)) == "asked_twice"
    third = asked(world, second, (1, 3)).state
    assert refused(world, third, (1, 4)) == "too_many_attempts"
    assert [one.at for one in third.exchanges] == [(1, 1), (1, 2), (1, 3)]


def test_an_answer_names_its_question_and_is_fresh_every_time(world: CheckedAttempt) -> None:
    first, second = (answers(asked(world, world.running(), (1, 1)))[0] for _ in range(2))
    assert first.request_digest == second.request_digest
    assert not set(first.numbers) & set(second.numbers)


def test_attempts_are_consecutive(world: CheckedAttempt) -> None:
    """One that overtook the attempt before it waits for that one: it is not answered without."""
    assert refused(world, world.running(), (1, 0)) == "too_many_attempts"
    for attempt in (2, 3):
        with pytest.raises(EarlyInput):
            asked(world, world.running(), (1, attempt))


def test_training_runs_one_round_ahead_and_no_further(world: CheckedAttempt) -> None:
    state = measuring().state
    assert asked(world, state, (2, 1), start="unmeasured").state.exchange(RoundAttempt(2, 1)) is not None
    assert refused(world, state, (3, 1), start="unmeasured") == "round_out_of_order"
    last = world.running(link=world.link.model_copy(update={"round": 3}))
    assert refused(world, last, (3, 1), start="unmeasured") == "round_out_of_order"
    assert refused(world, last, (4, 1), start="unmeasured") == "round_out_of_order"


def test_the_start_is_public_in_the_first_round_and_there_alone(world: CheckedAttempt) -> None:
    for start in ("unmeasured", "encrypted"):
        assert refused(world, world.running(), (1, 1), start=start) == "wrong_start_measurement"
    assert refused(world, measuring().state, (2, 1)) == "wrong_start_measurement"


def test_every_attempt_at_a_round_has_the_same_trainers(world: CheckedAttempt) -> None:
    assert refused(world, world.running(), (1, 1), trainers=3) == "wrong_trainer_count"
    three = replace(world.parties, trainers=0b111, validators=0b11000)
    state = replace(measuring().state, parties=three)
    assert refused(world, state, (1, 2), trainers=3) == "wrong_trainer_count"


def test_only_the_aggregator_asks_for_moments(world: CheckedAttempt) -> None:
    body = world.moment_request
    item = world.sent(world.members[0], body)
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        on_moment_request(world.running(), item, world.context())


def test_before_the_commitments_are_shown_nothing_is_answered(world: CheckedAttempt) -> None:
    bare = world.running(parties=replace(world.parties, rows=()))
    for handler, body in (
        (on_moment_request, world.moment_request),
        (on_attempt_announced, world.announced),
    ):
        with pytest.raises(EarlyInput):
            handler(bare, world.sent(world.aggregator, body), world.context())


# ---- members ----


def announce(
    world: CheckedAttempt,
    state: RunningState,
    at: tuple[int, int],
    members: tuple[str, ...],
    *left_out: str,
) -> Any:
    left = tuple(LeftOutMember(member=one, why="silent") for one in left_out)
    body = AttemptAnnounced(members=members, left_out=left)
    return on_attempt_announced(state, world.sent(world.aggregator, body, at=at), world.context())


def test_whoever_is_left_out_is_named_and_stays_out(world: CheckedAttempt) -> None:
    first, second, third = world.members
    after = announce(world, measuring().state, (1, 2), (first, third), second).state
    assert after.announced(RoundAttempt(1, 2)).members == world.parties.mask((first, third))
    for members in ((first, second, third), (second, third)):
        with pytest.raises(ProtocolViolation, match="wrong_members"):
            announce(world, after, (1, 3), members)
    assert set(after.checkers(RoundAttempt(1, 2), world.context())) == {first, third}


@pytest.mark.parametrize(
    ("at", "kept", "left", "code"),
    [
        ((1, 2), (0, 1), (), "wrong_members"),
        ((1, 2), (0,), (1, 2), "too_few_members"),
        ((1, 2), (0, 1, 2, 2), (), "wrong_members"),
        ((1, 1), (0, 1), (2,), "attempt_out_of_order"),
        ((1, 4), (0, 1, 2), (), "attempt_out_of_order"),
        ((2, 1), (0, 1, 2), (), "round_out_of_order"),
    ],
)
def test_an_aggregator_does_not_choose_members(
    world: CheckedAttempt, at: tuple[int, int], kept: tuple[int, ...], left: tuple[int, ...], code: str
) -> None:
    """With one now and another then, two openings would differ by a single member's numbers."""
    members = tuple(world.members[place] for place in kept)
    with pytest.raises(ProtocolViolation) as caught:
        announce(world, measuring().state, at, members, *(world.members[place] for place in left))
    assert caught.value.code == code


@pytest.mark.parametrize(("made", "at"), [((), (1, 2)), ((), (1, 3)), ((1,), (1, 3))])
def test_an_announcement_that_overtook_another_waits(
    world: CheckedAttempt, made: tuple[int, ...], at: tuple[int, int]
) -> None:
    """It names who left since the one before, which is nobody's fault to be late."""
    state = measuring().state if made else replace(measuring().state, attempts=(), standing=0)
    with pytest.raises(EarlyInput):
        announce(world, state, at, world.members)


def test_a_trainer_is_no_member(world: CheckedAttempt) -> None:
    trainers = world.parties.addresses(world.parties.trainers)
    with pytest.raises(ProtocolViolation, match="wrong_members"):
        announce(world, world.running(), (1, 1), (*trainers[:1], *world.members))


def test_the_same_announcement_again_changes_nothing(world: CheckedAttempt) -> None:
    state = measuring().state
    step = announce(world, state, (1, 1), world.members)
    assert (step.state, step.progressed) == (state, False)


def test_members_of_an_opened_round_come_too_late(world: CheckedAttempt) -> None:
    later = replace(measuring().state, link=world.link.model_copy(update={"round": 1}))
    with pytest.raises(StaleInput):
        announce(world, later, (1, 2), world.members)


# ---- the start ----


def test_rows_come_from_what_was_joined_with(world: CheckedAttempt) -> None:
    state, body = shown_start(world)
    step = on_checked_started(state, world.sent(world.aggregator, body, at=(0, 0)), world.context())
    assert step.state.parties.rows == world.parties.rows
    again = world.sent(world.aggregator, body, at=(0, 0))
    with pytest.raises(ProtocolViolation, match="already_started"):
        on_checked_started(step.state, again, world.context())


def test_an_aggregator_cannot_show_other_commitments(world: CheckedAttempt) -> None:
    """Other rows would move the weights of the errors, other commitments what is proven."""
    state, body = shown_start(world)
    first = body.owners[0]
    more = first.committed.model_copy(update={"rows": first.committed.rows + 1})
    swapped = first.committed.model_copy(update={"gram": body.owners[1].committed.gram})
    for committed in (more, swapped):
        owners = (first.model_copy(update={"committed": committed}), *body.owners[1:])
        item = world.sent(world.aggregator, body.model_copy(update={"owners": owners}), at=(0, 0))
        with pytest.raises(ProtocolViolation, match="wrong_commitment"):
            on_checked_started(state, item, world.context())
    roles = body.model_copy(update={"trainers": body.validators})
    with pytest.raises(ProtocolViolation, match="wrong_roles"):
        on_checked_started(state, world.sent(world.aggregator, roles, at=(0, 0)), world.context())
