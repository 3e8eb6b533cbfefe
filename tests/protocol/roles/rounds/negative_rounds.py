"""A validator whose committed matrix is no sum of squares, with somebody else who lies about it, or nobody.

Part of `make campaigns`.
"""

from typing import Any

import pytest

from protocol.messages.opening import NegativeError
from protocol.roles.buyer.rounds import opening
from protocol.roles.owner.budget import most_numbers, published_numbers
from tests.adversaries.arena import Arena, Replaced, prepared
from tests.adversaries.deeds import changing, honestly, withholding_when
from tests.adversaries.outcome import Outcome
from tests.protocol.roles.aggregator.rounds.test_ranges import end
from tests.protocol.roles.owner.test_budget import numbers_of
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import body_of

LIAR = 3


def indefinite(times: int = -40, **options: Any) -> Arena:
    """The first validator has so many times the matrix of its rows."""
    arena = bad_trainer(owners=6, times=times, **options)
    arena.finish()
    return arena


def saw(arena: Arena) -> dict[str, set[tuple[str, str]]]:
    """What each owner has noted by its own eyes."""
    found: dict[str, set[tuple[str, str]]] = {}
    for party in arena.owners:
        for fact in party.facts:
            if fact.name == "named":
                said = str(fact.data["accused"]), str(fact.data["code"])
                found.setdefault(party.address, set()).add(said)
    return found


@pytest.mark.parametrize("times", [-40, -400, -(1 << 12)])
def test_every_maker_sees_by_itself_whose_matrix_it_is(times):
    arena = indefinite(times)
    liar = arena.owners[LIAR].address
    assert end(arena) == ("indefinite_matrix", {liar})
    assert saw(arena) == {one: {(liar, "indefinite_matrix")} for one in arena.checkers()}
    outcome = Outcome(arena)
    assert (outcome.named, outcome.left_out, outcome.bugs) == ({liar}, set(), [])


def test_of_a_matrix_that_is_less_far_below_nothing_no_part_is_opened_and_nobody_is_named():
    arena = indefinite(-4)
    assert end(arena) == ("implausible", set())
    assert not [one for one in arena.sent("ring_opening") if body_of(one).purpose == "errors"]
    outcome = Outcome(arena)
    assert (outcome.named, outcome.left_out, outcome.bugs) == (set(), set(), [])


def test_nothing_but_members_parts_of_one_error_is_opened_and_once():
    arena = indefinite()
    opened = [one for one in arena.sent("ring_opening") if body_of(one).purpose == "errors"]
    assert {one.envelope.recipient for one in opened} == {arena.aggregator.address, *arena.checkers()}
    assert len(opened) == 3
    assert {len(body_of(one).vectors) for one in opened} == {3}


def test_so_does_every_maker_in_the_last_round_and_budgets_hold_what_is_shown():
    arena = indefinite(rounds=1)
    liar = arena.owners[LIAR].address
    assert end(arena) == ("indefinite_matrix", {liar})
    assert saw(arena) == {one: {(liar, "indefinite_matrix")} for one in arena.checkers()}
    assert all(numbers_of(owner) <= most_numbers(arena.request) for owner in arena.owners)


def test_owners_count_the_parts_that_were_shown():
    """The refused round's numbers, with v₀ and the weights, and each validator's part of one error."""
    arena = indefinite()
    published = published_numbers(arena.request, trainers=3, rounds=1, starts=1) + 3
    assert all(published <= numbers_of(owner) <= most_numbers(arena.request) for owner in arena.owners)


# ---- the buyer ----


@pytest.mark.parametrize(("place", "depth"), [(0, 16), (1, 24), (2, 48), (None, 16), (None, 24)])
def test_a_buyer_that_says_so_of_errors_that_are_not_negative_is_named_by_all_makers(place, depth):
    def negative(facts: Any, _plaintexts: Any, *, parties: Any, **_others: Any) -> NegativeError:
        trainer = None if place is None else parties.addresses(facts.trainers)[place]
        return NegativeError(trainer=trainer, depth=depth)

    refused = Replaced(opening, "record_of", lambda *_a, **_k: None)
    nobody = Replaced(opening, "named_errors", lambda *_a, **_k: ())
    arena = prepared(2, late=True)
    wrapped = (refused, nobody, Replaced(opening, "negative_error", negative))
    arena.enter("buyer", honestly, wrapped, redraws=None)
    arena.finish()
    assert end(arena) == ("errors_denied", {arena.buyer.address})
    assert saw(arena) == {one: {(arena.buyer.address, "errors_denied")} for one in arena.checkers()}


def _of_errors(body: Any, _message: Any) -> bool:
    return bool(body.purpose == "errors")


def test_a_buyer_that_opens_no_parts_is_named_as_silent():
    arena = indefinite(who="buyer", deed=withholding_when(_of_errors, "ring_opening"))
    assert end(arena) == ("buyer_silent", {arena.buyer.address})


def test_one_that_opens_other_numbers_is_named():
    def moved(_arena: Arena, body: Any, _message: Any) -> dict[str, Any]:
        if body.purpose != "errors":
            return {}
        first, *others = body.vectors
        one, *rest = first.openings
        other = one.model_copy(update={"plaintext": one.plaintext + 1})
        return {"vectors": (first.model_copy(update={"openings": (other, *rest)}), *others)}

    arena = indefinite(who="buyer", deed=changing("ring_opening", moved))
    assert end(arena) == ("bad_opening", {arena.buyer.address})


# ---- a checker, and an aggregator ----


@pytest.mark.parametrize("who", ["first checker", "second checker"])
def test_a_checker_that_takes_no_part_names_nobody(who):
    arena = indefinite(who=who, deed=withholding_when(_of_errors, "ring_shared"))
    code, named = end(arena)
    assert (code, named) == ("errors_late", set())
    assert Outcome(arena).named <= {arena.adversary}
