"""The time that a round may take, of the parts of a request."""

from protocol.learning.judgement.members import MAXIMUM_ATTEMPTS
from protocol.request_sections import _ATTEMPTS, _REPETITION_STEPS, Deadlines
from protocol.roles.aggregator.rounds.errors import RING_STEPS


def test_a_round_has_the_time_for_all_its_attempts_and_for_the_rings_of_its_one_repetition() -> None:
    """However long the steps may be, it is no more than the contract takes."""
    assert _ATTEMPTS == MAXIMUM_ATTEMPTS
    assert _REPETITION_STEPS == 2 * (RING_STEPS + 1)
    longest = Deadlines(reveal_s=86_400, step_s=86_400, chain_s=86_400)
    assert longest.round_seconds == (3 * 7 + 8) * 86_400 < 30 * 86_400
