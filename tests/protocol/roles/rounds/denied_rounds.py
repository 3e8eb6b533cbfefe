"""Rounds against which an otherwise honest buyer has its word, with somebody else who lies or is silent.

Part of `make campaigns`.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.deeds import changing, withholding_when
from tests.adversaries.outcome import Outcome
from tests.protocol.roles.aggregator.rounds.test_ranges import DENIALS, denied, end
from tests.support.roles.small_markets import altered, body_of


def test_implausible_errors_with_all_trainers_in_range_name_nobody():
    arena = denied("errors")
    assert end(arena) == ("implausible", set())
    assert len(arena.sent("ranges_asked")) == 2
    assert not {fact.name for party in arena.owners for fact in party.facts} & {"named"}


# ---- lies and silence of a checker in the ring ----


def of_ranges(type_name: str) -> Deed:
    return withholding_when(lambda body, _message: body.purpose == "ranges", type_name)


@pytest.mark.parametrize("kind", ["ring_committed", "ring_nonce", "ring_shared", "ring_consent"])
def test_of_a_checker_that_is_silent_in_the_ring_everybody_is_told(kind):
    arena = denied("sums", "first checker", of_ranges(kind))
    assert end(arena) == ("ranges_late", set())
    told = {
        one.envelope.recipient
        for one in arena.sent("training_failed")
        if arena.adversary in body_of(one).silent
    }
    assert told == set(arena.parties) - {arena.aggregator.address}


def other_seed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    if message.envelope.type != "ring_shared" or body_of(message).purpose != "ranges":
        return (message,)
    if body_of(message).seed is None:
        return (message,)
    return (altered(arena, message, seed=b"s" * 32),)


@pytest.mark.parametrize("who", ["first checker", "second checker"])
def test_a_checker_whose_share_its_seed_does_not_make_is_to_blame_for_the_end(who):
    arena = denied("sums", who, other_seed)
    assert end(arena) == ("too_few_validators", {arena.adversary})
    assert not [one for one in arena.sent("ring_opening") if body_of(one).purpose == "ranges"]


def test_a_checker_that_commits_to_other_updates_is_to_blame_for_the_end():
    def other(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        return {"statement": b"\0" * 32} if body.purpose == "ranges" else {}

    arena = denied("sums", "first checker", changing("ring_committed", other))
    assert end(arena) == ("too_few_validators", {arena.adversary})


# ---- nobody honest ----


@pytest.mark.parametrize("what", DENIALS)
@pytest.mark.parametrize("who", ["first checker", "aggregator"])
def test_nobody_honest_is_named_beside_a_silent_party(what, who):
    """Of two parties that are not as they should be, what is said is of one of them."""
    arena = denied(what, who, of_ranges("ring_shared"))
    outcome = Outcome(arena)
    assert outcome.named <= {arena.buyer.address, arena.adversary}
    assert outcome.bugs == []
