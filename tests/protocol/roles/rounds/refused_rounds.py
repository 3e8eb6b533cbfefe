"""Who measures a round that the buyer has refused: exactly the members whose errors it has opened, or nobody.

Part of `make campaigns`.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from protocol.roles.aggregator.state import TrainingState
from protocol.roles.buyer.rounds import opening
from protocol.roles.buyer.state import RunningState
from protocol.roles.owner.rounds import evidence
from protocol.roles.rounds.record import record_of
from tests.adversaries.arena import Arena, Replaced, replaced
from tests.adversaries.deeds import withholding_when
from tests.adversaries.outcome import Outcome
from tests.protocol.roles.aggregator.rounds.test_ranges import end
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import body_of
from tests.support.roles.transcripts import entries_of, sealed, verified

NOBODY_STAYS = {
    "aggregator": Replaced(TrainingState, "has_refused", lambda *_a: False),
    "buyer": Replaced(RunningState, "refused_members", lambda *_a: None),
    "owner": Replaced(evidence, "_members_stay", lambda *_a: False),
}
"""What each of them holds a repeated round's members against, left out."""


def silent_in_the_repetition() -> Arena:
    """The last of three validators sends nothing of a repeated round."""
    arena = bad_trainer(owners=6)
    silence = withholding_when(lambda _body, message: message.envelope.attempt > 1, "proven_metric")
    arena.enter("validator", silence, redraws=None)
    arena.adversary = arena.validators()[2].address
    return arena


@pytest.fixture
def seen() -> Iterator[list[tuple[tuple[int, int], int]]]:
    """The attempts that the buyer opens, and by which members, whatever it then says of them."""
    found: list[tuple[tuple[int, int], int]] = []

    def noted(facts: Any, plaintexts: Any, **about: Any) -> Any:
        found.append((tuple(about["at"]), facts.members))
        return record_of(facts, plaintexts, **about)

    with replaced((Replaced(opening, "record_of", noted),)):
        yield found


def test_the_buyer_reads_no_round_of_two_sets_of_members(seen):
    arena = silent_in_the_repetition()
    arena.finish()
    assert [at for at, _members in seen] == [(1, 1), (2, 1)]
    assert (Outcome(arena).recorded, Outcome(arena).named) == (1, set())


def test_it_would_without_these_checks(seen):
    with replaced(tuple(NOBODY_STAYS.values())):
        arena = silent_in_the_repetition()
        arena.finish()
    opened = [(at, members.bit_count()) for at, members in seen if at[0] == 2]
    assert opened == [((2, 1), 3), ((2, 3), 2)]


def test_whoever_is_silent_then_is_told_and_the_buyer_which_may_have_said_that_the_round_is_over():
    arena = silent_in_the_repetition()
    arena.finish()
    assert end(arena) == ("too_few_validators", set())
    told = {address for one in arena.sent("training_failed") for address in body_of(one).silent}
    assert told == {arena.adversary, arena.buyer.address}


@pytest.mark.parametrize("who", ["buyer", "owner"])
def test_each_of_them_refuses_other_members_by_itself(who):
    """The aggregator goes on with fewer, and one of the others alone looks."""
    others = [one for name, one in NOBODY_STAYS.items() if name != who]
    with replaced(others):
        arena = silent_in_the_repetition()
        arena.finish()
    refusing = {party.address for party in arena.parties.values() if "wrong_members" in codes(party)}
    checking = {arena.buyer.address} if who == "buyer" else {one.address for one in arena.validators()[:2]}
    assert (refusing, Outcome(arena).recorded) == (checking, 1)


def codes(party: Any) -> set[str]:
    return {one.code for one in party.violations}


def test_no_transcript_of_one_who_was_told_verifies_where_others_measured_it():
    with replaced(tuple(NOBODY_STAYS.values())):
        arena = silent_in_the_repetition()
        arena.finish()
    assert Outcome(arena).recorded == 3
    for party in (arena.buyer, arena.aggregator, *arena.validators()):
        report = verified(sealed(party, entries_of(arena, party)), party.signing_key)
        assert report.failure is not None
        assert (report.failure.round, report.failure.code) == (2, "wrong_members")
