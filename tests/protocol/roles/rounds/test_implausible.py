"""Whom a buyer may name for errors that make no record, and when a round may be repeated without them."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.judgement.negativity import MAXIMUM_DEPTH, MINIMUM_DEPTH, STEP
from protocol.learning.moments.widths import Start
from protocol.messages import OpeningRefused
from protocol.messages.opening import ImplausibleError, NegativeError
from protocol.messages.rounds import ZeroTestResult
from protocol.messages.rounds.values import AttemptFacts
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.roles.engine.state import replace
from protocol.roles.rounds.implausible import (
    is_affordable,
    named_errors,
    negative_error,
    read_refusal,
    require_named,
    require_negative,
)
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import RoundAttempt, mask_of
from tests.protocol.roles.rounds.test_record import LATER, WORLD, at_scale
from tests.support.roles.checked_attempt import AT, measuring
from tests.support.roles.pure_contract import MARKET, TRAINING

WIDTHS = WORLD.widths.moments
REQUEST = WORLD.request.model_copy(
    update={"schedule": WORLD.request.schedule.model_copy(update={"rounds": 20})}
)
NAMES = WORLD.parties.addresses(measuring().attempt.facts.trainers)
BUYER = WORLD.buyer
BUYER_PLACE = -1


def named(*errors: float, link: TranscriptHead = LATER, rounds: int = 20) -> list[tuple[int, int]]:
    """Places and powers of an attempt whose q and c, of one trainer after the other, are these."""
    facts, plaintexts, request = opened(*errors, rounds=rounds)
    found = named_errors(facts, plaintexts, request=request, parties=WORLD.parties, widths=WIDTHS, link=link)
    return [(NAMES.index(one.trainer), one.power) for one in found]


def opened(*errors: float, rounds: int = 20) -> tuple[AttemptFacts, list[int], Request]:
    """Such an attempt, its opened plaintexts, and a request of so many rounds."""
    facts: AttemptFacts = replace(measuring().attempt.facts, start="unmeasured")
    values, plaintexts = [at_scale(one) for one in errors], []
    for one in WIDTHS.sets(facts.trainers.bit_count(), Start.UNMEASURED):
        taken, values = values[: one.slots], values[one.slots :]
        plaintexts.append(
            WIDTHS.offset(one) + sum(WIDTHS.at(slot, value) for slot, value in enumerate(taken))
        )
    schedule = REQUEST.schedule.model_copy(update={"rounds": rounds})
    return facts, plaintexts, REQUEST.model_copy(update={"schedule": schedule})


def negative(*errors: float, rounds: int = 20) -> int | None:
    """The place of the trainer whose error is said to be negative."""
    facts, plaintexts, request = opened(*errors, rounds=rounds)
    said = negative_error(facts, plaintexts, request=request, parties=WORLD.parties, widths=WIDTHS)
    return None if said is None or said.trainer is None else NAMES.index(said.trainer)


def test_trainers_above_their_limit_are_named_with_the_least_power():
    """The limit is four times the error after the round before."""
    assert named(0.2, 0.1, 1.01, 0.1) == [(1, 8)]
    assert named(257.0, 0.1, 0.2, 0.1) == [(0, 16)]


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param((0.2, 0.1, 0.2, 0.1), id="all are plausible"),
        pytest.param((0.2, 9.0, 0.2, 0.1), id="only a product with the sum is not"),
        pytest.param((-0.1, 0.1, 2.0, 0.1), id="one is negative"),
    ],
)
def test_nobody_is_named_for_what_is_no_trainers_model(errors):
    assert named(*errors) == []


def test_in_the_last_round_the_same_are_named():
    assert named(0.2, 0.1, 1.01, 0.1, rounds=LATER.round + 1) == [(1, 8)]


# ---- an error that is negative ----


def test_the_trainer_whose_error_is_furthest_below_nothing_is_said():
    assert negative(0.2, 0.1, -0.5, 0.1) == 1
    assert negative(-0.7, 0.1, -0.5, 0.1) == 0
    assert negative(0.2, 0.1, -0.5, 0.1, rounds=LATER.round + 1) == 1


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param((0.2, 0.1, 0.2, 0.1), id="all are plausible"),
        pytest.param((0.2, 0.1, -1e-9, 0.1), id="no further than noise"),
        pytest.param((0.2, 0.1, -0.04, 0.1), id="no further than members' parts are hidden"),
        pytest.param((0.2, -9.0, 0.2, 0.1), id="only a product with the sum is"),
        pytest.param((0.2, 0.1, -(2.0**40), 0.1), id="beyond all that members come to"),
    ],
)
def test_no_error_is_said_to_be_negative_that_names_no_member(errors):
    assert negative(*errors) is None


@pytest.mark.parametrize(
    ("said", "start"),
    [
        pytest.param({"negative": (None, 16)}, Start.UNMEASURED, id="of a start that is not measured"),
        pytest.param({"negative": (0, 16), "named": (1,)}, Start.PUBLIC, id="beside named trainers"),
        pytest.param({"negative": (BUYER_PLACE, 16)}, Start.PUBLIC, id="of somebody without an update"),
    ],
)
def test_no_other_error_is_taken_as_negative(said, start):
    place, depth = said["negative"]
    trainer = BUYER if place == BUYER_PLACE else None if place is None else NAMES[place]
    word = OpeningRefused(
        named=tuple(refusal(*said.get("named", ()))), negative=NegativeError(trainer=trainer, depth=depth)
    )
    with pytest.raises(ProtocolViolation, match="wrong_refusal"):
        require_negative(word, WORLD.parties, measuring().attempt.facts.trainers, start)


def test_one_of_the_start_or_of_a_trainer_is():
    trainers = measuring().attempt.facts.trainers
    for trainer, start in ((None, Start.PUBLIC), (None, Start.ENCRYPTED), (NAMES[1], Start.UNMEASURED)):
        said = OpeningRefused(negative=NegativeError(trainer=trainer, depth=16))
        require_negative(said, WORLD.parties, trainers, start)


def test_no_depth_is_taken_at_which_more_of_a_part_would_be_seen():
    depths = range(-STEP, MAXIMUM_DEPTH + 2 * STEP)
    taken = [one for one in depths if _is_taken(one)]
    assert taken == list(range(MINIMUM_DEPTH, MAXIMUM_DEPTH + 1, STEP))


def _is_taken(depth: int) -> bool:
    try:
        NegativeError(trainer=NAMES[0], depth=depth)
    except ValidationError:
        return False
    return True


# ---- budgets ----


@given(seed=st.integers(0, 1 << 32), trainers=st.integers(2, 9), rounds=st.integers(1, 12))
def test_a_repetition_shows_no_more_numbers_than_its_training_has_reserved(seed, trainers, rounds):
    """The buyer sees q and c of all in an attempt, and with others missing every c anew."""
    chance, left, seen = Random(seed), trainers, 0
    for number in range(1, rounds + 1):
        link = LATER.model_copy(update={"round": number - 1, "best": FIXED_POINT})
        seen += 2 * left
        while chance.random() < 0.5 and left > 2:
            out = chance.randint(1, left - 2)
            schedule = REQUEST.schedule.model_copy(update={"rounds": rounds})
            request = REQUEST.model_copy(update={"schedule": schedule})
            if not is_affordable((1 << left) - 1, out, "unmeasured", request, link):
                break
            left -= out
            seen += left
    assert seen <= 2 * trainers * rounds


# ---- the buyer's word ----


def refusal(*places: int) -> list[ImplausibleError]:
    return [ImplausibleError(trainer=NAMES[place], power=8) for place in places]


@pytest.mark.parametrize("places", [(1, 0), (0, 0)])
def test_names_are_trainers_of_the_round_in_seat_order(places: Sequence[int]):
    require_named(refusal(0, 1), WORLD.parties, measuring().attempt.facts.trainers)
    with pytest.raises(ProtocolViolation, match="wrong_refusal"):
        require_named(refusal(*places), WORLD.parties, measuring().attempt.facts.trainers)


def test_who_has_no_update_in_the_round_is_not_named():
    only = mask_of([WORLD.parties.seat_of(NAMES[0])])
    with pytest.raises(ProtocolViolation, match="wrong_refusal"):
        require_named(refusal(0, 1), WORLD.parties, only)


def word(*places: int, sender: str = BUYER, body: object = None, at: tuple[int, int] = AT) -> SignedMessage:
    said = body or OpeningRefused(named=tuple(refusal(*places)))
    return WORLD.sent(sender, said, to=WORLD.aggregator, at=at).signed


FINAL = OpeningRefused(named=tuple(refusal(1)), is_final=True)


def read(signed: SignedMessage) -> tuple[str, ...]:
    return read_refusal(signed, MARKET, TRAINING, RoundAttempt(*AT), BUYER)


def test_the_buyers_signed_word_names_who_sits_out():
    assert read(word(1)) == (NAMES[1],)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"places": ()}, id="it names nobody"),
        pytest.param({"places": (1,), "sender": WORLD.aggregator}, id="somebody else says so"),
        pytest.param({"places": (1,), "at": (AT[0], AT[1] + 1)}, id="of another attempt"),
        pytest.param({"places": (), "body": ZeroTestResult()}, id="something else is said"),
        pytest.param({"places": (), "body": FINAL}, id="the round is not repeated"),
    ],
)
def test_no_other_word_has_anybody_sit_out(changes):
    places = changes.pop("places")
    with pytest.raises(ProtocolViolation, match="wrong_refusal"):
        read(word(*places, **changes))


def test_nor_one_whose_signature_is_not_the_buyers():
    signed = word(1)
    forged = signed.model_copy(update={"body": pack(OpeningRefused(named=tuple(refusal(0))))})
    with pytest.raises(ProtocolViolation, match="bad_signature"):
        read(forged)
