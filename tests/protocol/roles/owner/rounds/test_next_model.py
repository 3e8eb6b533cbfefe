"""A checker and the ring over the next model: who chooses last, who shows another share, what is opened."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import pytest
from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.scales import MODEL_SCALE
from protocol.messages.rounds import (
    CheckVerdict,
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpening,
    RingShared,
)
from protocol.messages.rounds.ring import OpenedVector
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace, store
from protocol.vectors import EncryptedVector
from tests.support.roles.checked_attempt import MeasuredAttempt
from tests.support.roles.checked_owners import CHECKED, Machined, PlayedAttempt, played

Change = Callable[[SignedMessage], tuple[SignedMessage, ...]]


def said(step: Any, kind: type) -> list[Any]:
    return [one.body for one in step.effects if isinstance(one, SendMessage) and isinstance(one.body, kind)]


def dropping(*types: str) -> Change:
    return lambda one: () if one.envelope.type in types else (one,)


@lru_cache
def _without(upto: str) -> PlayedAttempt:
    return played(*CHECKED[: 1 if upto != "ring_opening" else 2], change=dropping(upto))


def before(upto: str) -> tuple[PlayedAttempt, Machined, list[SignedMessage]]:
    """An attempt without messages of this type, its second checker, and those that it should have got."""
    play = _without(upto).copy()
    checker = play.checkers[1]
    found = [
        one for one in play.wire if one.envelope.type == upto and one.envelope.recipient == checker.address
    ]
    return play, checker, found


def again(play: PlayedAttempt, one: SignedMessage, body: Any) -> SignedMessage:
    return play.signed(one.envelope.sender, one.envelope.recipient, body)


# ---- nobody chooses last ----


@pytest.mark.parametrize(
    ("name", "kind", "change", "code"),
    [
        ("ring_committed", RingCommitted, {"share": b"o" * 32}, "committed_twice"),
        ("ring_nonce", RingNonce, {"nonce": b"o" * 32}, "nonce_twice"),
        ("ring_shared", RingShared, {"share": (b"o" * 256,)}, "shared_twice"),
    ],
)
def test_a_second_one_for_an_attempt_is_refused(name: str, kind: type, change: dict, code: str) -> None:
    play = played("show")
    checker = play.checkers[1]
    (one, *_) = [
        one for one in play.wire if one.envelope.type == name and one.envelope.recipient == checker.address
    ]
    body, stood = body_of(one, kind), checker.state
    with pytest.raises(ProtocolViolation) as refused:
        checker.step(again(play, one, replace(body, **change)))
    assert refused.value.code == code
    step = checker.step(again(play, one, body))
    assert (said(step, object), checker.state) == ([], stood)


def test_a_nonce_is_shown_only_when_all_have_committed() -> None:
    play, checker, committed = before("ring_committed")
    assert not [one for one in play.wire if one.envelope.type == "ring_nonce"]
    first, *rest = committed
    assert said(checker.step(first), RingNonce) == []
    (last,) = rest
    assert len(said(checker.step(last), RingNonce)) == 2


def test_a_share_is_shown_only_when_both_nonces_are_known() -> None:
    play, checker, (nonce,) = before("ring_nonce")
    assert not [one for one in play.wire if one.envelope.type == "ring_shared"]
    assert len(said(checker.step(nonce), RingShared)) == 2


def test_a_nonce_that_was_not_committed_to_is_refused() -> None:
    play, checker, (nonce,) = before("ring_nonce")
    with pytest.raises(ProtocolViolation, match="bad_nonce"):
        checker.step(again(play, nonce, RingNonce(purpose="next model", nonce=b"o" * 32)))


def test_only_makers_take_part() -> None:
    play = played("show")
    (member,) = play.others
    (one, *_) = [one for one in play.wire if one.envelope.type == "ring_committed"]
    body, checker = body_of(one, RingCommitted), play.checkers[1]
    with pytest.raises(ProtocolViolation, match="not_a_maker"):
        checker.step(play.signed(member.address, checker.address, body))
    with pytest.raises(ProtocolViolation, match="not_a_checker"):
        member.step(play.signed(checker.address, member.address, body))
    with pytest.raises(EarlyInput):
        checker.step(again(play, one, replace(body, purpose="ranges")))


def test_seeds_go_to_the_next_maker_alone() -> None:
    play = played("show")
    order = (play.world.aggregator, *play.world.checkers)
    for one in play.wire:
        if one.envelope.type == "ring_shared":
            follows = order[(order.index(one.envelope.sender) + 1) % 3] == one.envelope.recipient
            assert (body_of(one, RingShared).seed is not None) == follows


def test_a_share_that_its_seed_does_not_make_is_not_consented_to() -> None:
    play, checker, shared = before("ring_shared")
    (one,) = [one for one in shared if one.envelope.sender == play.checkers[0].address]
    other = again(play, one, replace(body_of(one, RingShared), seed=b"o" * 32))
    step = checker.step(other)
    assert said(step, object) == [RingConsent(purpose="next model", refused=True, shown=other)]
    assert checker.state.attempt.opening.ring.refused
    assert checker.state.attempt.opening.product is None


def test_a_share_without_its_seed_is_not_consented_to() -> None:
    play, checker, shared = before("ring_shared")
    (one,) = [one for one in shared if one.envelope.sender == play.checkers[0].address]
    other = again(play, one, replace(body_of(one, RingShared), seed=None))
    step = checker.step(other)
    assert said(step, object) == [RingConsent(purpose="next model", refused=True, shown=other)]
    assert checker.state.attempt.opening.product is None


# ---- what is opened ----


def test_before_its_consent_a_checker_takes_no_opening() -> None:
    play, checker, _ = before("ring_shared")
    whole = played(*CHECKED)
    (opening, *_) = [one for one in whole.wire if one.envelope.type == "ring_opening"]
    with pytest.raises(EarlyInput):
        checker.step(play.signed(play.world.buyer, checker.address, body_of(opening, RingOpening)))


def changed(body: RingOpening, place: int, **fields: int) -> RingOpening:
    (vector,) = body.vectors
    openings = list(vector.openings)
    openings[place] = replace(openings[place], **fields)
    return replace(body, vectors=(OpenedVector(openings=tuple(openings)),))


def off_by_one(body: RingOpening) -> RingOpening:
    return changed(body, 0, plaintext=body.vectors[0].openings[0].plaintext + 1)


def fewer(body: RingOpening) -> RingOpening:
    return replace(body, vectors=(OpenedVector(openings=body.vectors[0].openings[1:]),))


def out_of_range(body: RingOpening) -> RingOpening:
    return replace(body, vectors=(OpenedVector(),))


def twice(body: RingOpening) -> RingOpening:
    return replace(body, vectors=body.vectors * 2)


@pytest.mark.parametrize("change", [off_by_one, fewer, out_of_range, twice], ids=lambda one: one.__name__)
def test_an_opening_that_is_none_or_out_of_range_is_not_in_order(change: Any) -> None:
    play, checker, (opening,) = before("ring_opening")
    wrong = again(play, opening, change(body_of(opening, RingOpening)))
    verdicts = said(checker.step(wrong), CheckVerdict)
    assert verdicts[0] == CheckVerdict(in_order=False, ground="next_model", evidence=(wrong,))
    assert checker.state.attempt.is_stopped


def test_the_buyer_opens_once() -> None:
    play, checker, (opening,) = before("ring_opening")
    checker.step(opening)
    body = body_of(opening, RingOpening)
    # With the other test through as well the verdict is out: nothing is left that would be answered.
    with pytest.raises(ProtocolViolation, match="opened_twice"):
        checker.step(again(play, opening, body))


def test_only_the_buyer_opens() -> None:
    play, checker, (opening,) = before("ring_opening")
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        checker.step(play.signed(play.world.aggregator, checker.address, body_of(opening, RingOpening)))
    with pytest.raises(ProtocolViolation, match="wrong_purpose"):
        checker.step(again(play, opening, replace(body_of(opening, RingOpening), purpose="metric")))


# ---- models that are none ----


AMOUNTS = pytest.mark.parametrize(
    "amounts", [(1 << 90, 0, 0), (1 << 200, -(1 << 200), 0), (1 << 64, 1 << 64, 1 << 64)], ids=str
)


def moved(play: PlayedAttempt, numbers: Sequence[mpz], amounts: Sequence[int]) -> list[mpz]:
    key = play.world.key
    return [one * key.lift(by) % key.n_squared for one, by in zip(numbers, amounts, strict=True)]


def verdicts(play: PlayedAttempt) -> list[tuple[bool, str | None]]:
    found = [body_of(one, CheckVerdict) for one in play.of_type("check_verdict")]
    return [(one.in_order, one.ground) for one in found]


@AMOUNTS
def test_a_mean_that_the_buyer_has_not_formed_is_found_out_by_both(amounts: tuple[int, ...]) -> None:
    """By a buyer that answers with another model, and opens all that follows as usual."""
    play = PlayedAttempt()
    body, key = play.measured.answer_body, play.world.key
    *others, first, second, third = body.numbers
    honest = read_ciphertexts(key, (first, second, third), 3)
    answer = replace(body, numbers=(*others, *write_ciphertexts(key, moved(play, honest, amounts))))
    play.measured = MeasuredAttempt(play.world, answer)
    play.show()
    play.run()
    play.open_model()
    play.run()
    assert verdicts(play) == [(False, "next_model")] * 2


@AMOUNTS
def test_a_model_that_is_not_the_answers_is_found_out_by_both(amounts: tuple[int, ...]) -> None:
    """By an aggregator that puts another model in its place: before anything is opened."""
    play = PlayedAttempt()
    wrong = EncryptedVector.of(play.world.key, moved(play, play.measured.model, amounts), MODEL_SCALE)
    play.show(replace(play.measured.evidence, next_model=wrong))
    play.run()
    assert verdicts(play) == [(False, "subtraction")] * 2


def test_sums_that_open_are_shown_to_nobody() -> None:
    """The aggregator knows two masks as well: with the sums it would read what it has put into its model.

    Here they are out of range for a checker alone, which takes another mask off than is in them.
    """
    _, checker, (opening,) = before("ring_opening")
    assert body_of(opening, RingOpening).vectors[0].openings
    attempt = checker.state.attempt
    seed, blob = store(b"o" * 32)
    ring = replace(attempt.opening.ring, seed=seed)
    attempt = replace(attempt, opening=replace(attempt.opening, ring=ring))
    checker.state = replace(checker.state, attempt=attempt)
    checker.blobs[blob.digest] = blob.content
    verdicts = said(checker.step(opening), CheckVerdict)
    assert set(verdicts) == {CheckVerdict(in_order=False, ground="next_model")}
