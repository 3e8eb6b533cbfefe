"""A buyer that opens ranges, or errors, to some makers alone: the aggregator relays what it was sent.

Part of `make campaigns`.
"""

from typing import Any

import pytest

from protocol.codec import pack
from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.deeds import changing, withholding_when
from tests.adversaries.outcome import Outcome
from tests.protocol.roles.aggregator.rounds.test_ranges import end
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import body_of

EACH = pytest.mark.parametrize(
    ("purpose", "place"), [(one, at) for one in ("ranges", "errors") for at in (0, 1)]
)
"""Of both openings, and both of the second round's checkers."""


def played(who: str, deed: Deed) -> Arena:
    arena = bad_trainer(owners=6, who=who, deed=deed)
    arena.finish()
    return arena


def checker(place: int) -> str:
    return bad_trainer(owners=6).checkers(2)[place]


def said_of_checkers(arena: Arena) -> set[str]:
    """Whom the aggregator left out or told as silent."""
    silent = {address for one in arena.sent("training_failed") for address in body_of(one).silent}
    return (silent | Outcome(arena).left_out) & set(arena.checkers(2))


@EACH
def test_a_checker_from_which_the_buyer_keeps_an_opening_is_not_told_as_silent(purpose, place):
    def kept_back(body: Any, message: SignedMessage) -> bool:
        return bool(body.purpose == purpose and message.envelope.recipient == checker(place))

    arena = played("buyer", withholding_when(kept_back, "ring_opening"))
    assert (end(arena), said_of_checkers(arena)) == ((None, set()), set())
    assert (Outcome(arena).recorded, Outcome(arena).named) == (3, set())


@EACH
def test_one_that_it_sends_a_false_opening_says_so_and_goes_on(purpose, place):
    def moved(_arena: Arena, body: Any, message: SignedMessage) -> dict[str, Any]:
        if body.purpose != purpose or message.envelope.recipient != checker(place):
            return {}
        first, *rows = body.vectors
        one, *others = first.openings
        other = one.model_copy(update={"plaintext": one.plaintext + 1})
        return {"vectors": (first.model_copy(update={"openings": (other, *others)}), *rows)}

    arena = played("buyer", changing("ring_opening", moved))
    assert (end(arena), said_of_checkers(arena)) == ((None, set()), set())
    assert (Outcome(arena).recorded, Outcome(arena).named) == (3, {arena.buyer.address})
    said = {fact.data["code"] for fact in arena.parties[checker(place)].facts if fact.name == "named"}
    assert said == {"bad_opening"}


def other_recipient(arena: Arena, opening: SignedMessage) -> SignedMessage:
    """The same to the first checker, as the buyer has signed it."""
    return next(
        one
        for one in arena.sent("ring_opening")
        if one.body == opening.body and one.envelope.recipient == checker(0)
    )


def other_purpose(arena: Arena, opening: SignedMessage) -> SignedMessage:
    """That of the next model in the same attempt, which went to checkers alone."""
    del opening
    return next(one for one in arena.sent("ring_opening") if one.envelope.round == 2)


def altered(_arena: Arena, opening: SignedMessage) -> SignedMessage:
    """One that the buyer has not signed."""
    body = body_of(opening)
    first, *rows = body.vectors
    changed = body.model_copy(update={"vectors": (first.model_copy(update={"openings": ()}), *rows)})
    return opening.model_copy(update={"body": pack(changed)})


@pytest.mark.parametrize(
    ("other", "code"),
    [(other_recipient, "wrong_evidence"), (other_purpose, "wrong_evidence"), (altered, "bad_signature")],
)
def test_nothing_but_what_the_buyer_has_signed_for_the_aggregator_is_taken_for_it(other, code):
    def changed(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        return {"opening": other(arena, body.opening)}

    arena = played("aggregator", changing("opening_relayed", changed))
    refused = {one.code for party in arena.honest() for one in party.violations}
    assert refused == {code}
    assert Outcome(arena).recorded == 3  # checkers have the buyer's own
