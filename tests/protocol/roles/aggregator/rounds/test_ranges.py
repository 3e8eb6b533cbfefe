"""After the buyer's own word against an attempt: who is named, by what is shown in which order."""

from collections.abc import Sequence
from functools import cache
from unittest.mock import patch

from protocol.envelope import SignedMessage
from protocol.roles.buyer.rounds import checks, opening
from protocol.roles.engine.inputs import TimerFired
from tests.adversaries.arena import Arena, Deed, prepared
from tests.adversaries.deeds import honestly
from tests.support.roles.small_markets import altered, body_of

DENIALS = {
    "a test": (checks, "open_zero", None),
    "sums": (checks, "open_sums", [None]),
    "errors": (opening, "record_of", None),
}


def denied(what: str, who: str = "nobody", deed: Deed = honestly) -> Arena:
    """A round against which an otherwise honest buyer has said this, to its end; somebody else may lie."""
    module, name, value = DENIALS[what]
    arena = prepared(1, late=True)
    if who == "nobody":
        arena.who, arena.adversary, arena.memory = who, who, {}
    else:
        arena.enter(who, deed, redraws=None)
    with patch.object(module, name, lambda *_a, **_k: value):
        arena.finish()
    return arena


@cache
def opened_ranges() -> Arena:
    return denied("sums")


def end(arena: Arena) -> tuple[str, set[str]]:
    """The code that the aggregator ended with, and whom it said is to blame."""
    faults = {body_of(one).fault for one in arena.sent("training_failed")}
    return arena.aggregator.decoded.failure, {one for one in faults if one}


def test_with_all_trainers_in_range_it_is_the_buyer_and_every_maker_sees_that_itself():
    arena = opened_ranges()
    assert end(arena) == ("wrong_moments", {arena.buyer.address})
    saw = {
        party.address
        for party in arena.owners
        for fact in party.facts
        if fact.name == "named" and fact.data["code"] == "wrong_moments"
    }
    assert saw == set(arena.checkers())


def test_a_denied_test_that_is_zero_names_the_buyer_and_nothing_of_a_trainer_is_opened():
    arena = denied("a test")
    assert end(arena) == ("zero_denied", {arena.buyer.address})
    assert not arena.sent("ranges_asked")


def test_ranges_are_opened_once_to_the_three_makers():
    arena = opened_ranges()
    opened = [one for one in arena.sent("ring_opening") if body_of(one).purpose == "ranges"]
    asked = [one for one in arena.sent("ring_opening_request") if body_of(one).purpose == "ranges"]
    assert len(asked) == 1
    assert {one.envelope.recipient for one in opened} == {arena.aggregator.address, *arena.checkers()}
    assert {len(body_of(one).vectors) for one in opened} == {3}


# ---- deadlines ----


def at_the_deadline(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """A checker signs when the makers' time is nearly over, and the buyer answers a little after that."""
    envelope, name = message.envelope, "checks:1.1"
    if envelope.type == "ring_consent" and body_of(message).purpose == "ranges":
        arena.now = arena.aggregator.timers[name] - 1
    if (envelope.type, envelope.recipient) == ("ring_opening", arena.aggregator.address):
        arena.now += 2
        if arena.aggregator.timers[name] <= arena.now:
            arena.fire(arena.aggregator, name)
    return (message,)


def test_a_buyer_is_not_named_as_silent_where_a_checker_signed_at_the_deadline():
    assert end(denied("sums", "broker", at_the_deadline))[0] == "wrong_moments"


# ---- what a buyer refuses to show ----


def test_a_buyer_shows_no_test_twice_and_opens_no_ranges_twice():
    arena = opened_ranges()
    (asked,) = [one for one in arena.sent("ring_opening_request") if body_of(one).purpose == "ranges"]
    assert asked.envelope.recipient == arena.buyer.address
    # The training is over for the buyer: nothing is opened by what comes again.
    before = len(arena.sent("ring_opening"))
    arena.post(altered(arena, asked))
    arena.finish()
    assert len(arena.sent("ring_opening")) == before


# ---- timers that have nothing to do any more ----


def test_a_checkers_timer_after_the_end_changes_nothing():
    arena = opened_ranges()
    party = arena.aggregator
    before = party.decoded
    arena.deliver(party, TimerFired(name="checks:1.1"))
    assert party.decoded == before


def test_an_opening_that_nobody_waits_for_is_late():
    arena = opened_ranges()
    opened = next(
        one
        for one in arena.sent("ring_opening")
        if one.envelope.recipient == arena.aggregator.address and body_of(one).purpose == "ranges"
    )
    before = arena.aggregator.decoded
    arena.post(altered(arena, opened))
    arena.finish()
    assert arena.aggregator.decoded == before
