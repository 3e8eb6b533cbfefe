"""A checker's question and its part in the other's: each asked once, opened only when both have signed."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import (
    CheckVerdict,
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.messages.rounds.values import Shown
from protocol.roles.engine.effects import RecordFact, SendMessage
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.signatures import sign_digest
from tests.support.roles.checked_owners import Machined, PlayedAttempt, honest, played


def dropping(*types: str) -> Callable[[SignedMessage], tuple[SignedMessage, ...]]:
    return lambda one: () if one.envelope.type in types else (one,)


@lru_cache
def _without(upto: str) -> PlayedAttempt:
    return played("show", change=dropping(upto))


def asked(upto: str) -> tuple[PlayedAttempt, Machined, Machined, SignedMessage]:
    """An attempt without messages of this type: the asker, the other checker, and the asker's one."""
    play = _without(upto).copy()
    first, second = play.checkers
    whose = "sender" if upto == "zero_test_shown" else "recipient"
    (one,) = [
        one
        for one in play.wire
        if one.envelope.type == upto and getattr(one.envelope, whose) == first.address
    ]
    return play, first, second, one


def said(step: Any, kind: type) -> list[Any]:
    return [one.body for one in step.effects if isinstance(one, SendMessage) and isinstance(one.body, kind)]


def again(play: PlayedAttempt, one: SignedMessage, body: Any) -> SignedMessage:
    """A message like this one with another body, under an id of its own."""
    return play.signed(one.envelope.sender, one.envelope.recipient, body)


# ---- the question ----


def test_each_checker_asks_its_own_question_and_once() -> None:
    play = played("show")
    questions = [one for one in play.wire if one.envelope.type == "projection_request"]
    assert [one.envelope.sender for one in questions] == [
        one for one in play.members if one in play.world.checkers
    ]
    assert len({body_of(one, ProjectionRequest).masked for one in questions}) == 2
    assert all(one.envelope.recipient == play.world.buyer for one in questions)


def test_a_second_answer_of_the_buyer_is_refused() -> None:
    play, checker, _, answer = asked("projection_answer")
    checker.step(answer)
    before = checker.state
    with pytest.raises(ProtocolViolation, match="answered_twice"):
        checker.step(again(play, answer, body_of(answer, ProjectionAnswer)))
    assert checker.state == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: replace(body, request_digest=b"o" * 32), "other_request"),
        (lambda body: replace(body, numbers=body.numbers[:-1]), "wrong_count"),
        (
            lambda body: replace(body, numbers=(b"\0" * len(body.numbers[0]), *body.numbers[1:])),
            "bad_ciphertext",
        ),
    ],
    ids=["another question's", "too short", "no ciphertexts"],
)
def test_what_is_no_answer_to_the_question_is_refused(change: Any, code: str) -> None:
    play, checker, _, answer = asked("projection_answer")
    with pytest.raises(ProtocolViolation) as refused:
        checker.step(again(play, answer, change(body_of(answer, ProjectionAnswer))))
    assert refused.value.code == code
    checker.step(answer)


def test_only_the_buyer_answers_and_only_a_checker_is_answered() -> None:
    play, checker, other, answer = asked("projection_answer")
    body = body_of(answer, ProjectionAnswer)
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        checker.step(play.signed(other.address, checker.address, body))
    (member,) = play.others
    with pytest.raises(ProtocolViolation, match="not_a_checker"):
        member.step(play.signed(play.world.buyer, member.address, body))


def test_seeds_are_in_no_text() -> None:
    play = played("show")
    shown = [one for one in play.wire if one.envelope.type == "zero_test_shown"]
    for one in shown:
        body = body_of(one, ZeroTestShown)
        texts = repr(body), *(repr(member.state) for member in play.members.values())
        for seed in (body.question_seed, body.test_seed):
            assert not any(repr(seed)[2:-1] in text or seed.hex() in text for text in texts)


# ---- countersigning ----


def test_the_other_checker_signs_a_question_that_its_seeds_make() -> None:
    _, _, other, shown = asked("zero_test_shown")
    (consent,) = said(other.step(shown), ZeroTestConsent)
    assert consent.zero == body_of(shown, ZeroTestShown).zero


def test_shown_again_it_gets_the_same_consent_and_another_question_none() -> None:
    play, _, other, shown = asked("zero_test_shown")
    body = body_of(shown, ZeroTestShown)
    first = said(other.step(shown), ZeroTestConsent)
    before = other.state
    assert said(other.step(again(play, shown, body)), ZeroTestConsent) == first
    with pytest.raises(ProtocolViolation, match="second_question"):
        other.step(again(play, shown, replace(body, test_seed=b"t" * 32)))
    assert other.state == before


def one_more(play: PlayedAttempt, number: bytes) -> bytes:
    """The ciphertext of one more."""
    key = play.world.key
    (read,) = read_ciphertexts(key, [number], 1)
    return write_ciphertexts(key, [read * key.lift(1) % key.n_squared])[0]


def is_this_weight_zero(play: PlayedAttempt, body: ZeroTestShown) -> ZeroTestShown:
    """A trainer's weight in the place of the test."""
    weight = play.world.vectors[0][0]
    return replace(body, zero=write_ciphertexts(play.world.key, [weight])[0])


WRONG_QUESTIONS = [
    lambda _play, body: replace(body, question_seed=b"q" * 32),
    lambda _play, body: replace(body, test_seed=b"t" * 32),
    is_this_weight_zero,
    lambda play, body: replace(body, zero=one_more(play, body.zero)),
    lambda _play, body: replace(body, zero=b"\0"),
]
WRONG_NAMES = ["another question seed", "another test seed", "a weight", "one more", "no ciphertext"]


def assert_refused(play: PlayedAttempt, asker: Machined, other: Machined, wrong: SignedMessage) -> None:
    """Everybody is shown what the asker has signed, and the other one notes who it was."""
    step = other.step(wrong)
    verdicts = said(step, CheckVerdict)
    assert verdicts == [CheckVerdict(in_order=False, ground="question", evidence=(wrong,))] * 3
    assert len({one.recipient for one in step.effects if isinstance(one, SendMessage)}) == 3
    assert said(step, ZeroTestConsent) == []
    noted = [one for one in step.effects if isinstance(one, RecordFact) and one.name == "named"]
    assert [(one.data["accused"], one.data["code"]) for one in noted] == [(asker.address, "false_question")]
    assert other.state.attempt.is_stopped


@pytest.mark.parametrize("change", WRONG_QUESTIONS, ids=WRONG_NAMES)
def test_it_shows_everybody_what_it_does_not_sign(change: Any) -> None:
    play, asker, other, shown = asked("zero_test_shown")
    assert_refused(play, asker, other, again(play, shown, change(play, body_of(shown, ZeroTestShown))))


def test_a_question_under_another_request_than_the_answered_one_is_refused() -> None:
    play, asker, other, shown = asked("zero_test_shown")
    body = body_of(shown, ZeroTestShown)
    request = replace(body.request, masked=tuple(one_more(play, one) for one in body.request.masked))
    assert_refused(play, asker, other, again(play, shown, replace(body, request=request)))


def test_an_answer_that_the_buyer_gave_to_somebody_else_is_refused() -> None:
    play, asker, other, shown = asked("zero_test_shown")
    body = body_of(shown, ZeroTestShown)
    answer = body_of(body.answer, ProjectionAnswer)
    for forged in (
        play.signed(asker.address, asker.address, answer),
        play.signed(play.world.buyer, other.address, answer),
        play.signed(play.world.buyer, asker.address, answer, (1, 2)),
    ):
        assert_refused(play, asker, other.copy(), again(play, shown, replace(body, answer=forged)))


def test_nobody_but_the_other_checker_has_a_question_countersigned() -> None:
    play, _, other, shown = asked("zero_test_shown")
    body = body_of(shown, ZeroTestShown)
    (member,) = play.others
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        other.step(play.signed(member.address, other.address, body))


# ---- the test ----


def test_with_the_signature_the_buyer_is_asked_once() -> None:
    play, checker, _, consent = asked("zero_test_consent")
    assert len(said(checker.step(consent), ZeroTestRequest)) == 1
    with pytest.raises(ProtocolViolation, match="answered_twice"):
        checker.step(again(play, consent, body_of(consent, ZeroTestConsent)))


def test_a_consent_that_signs_something_else_is_refused() -> None:
    play, checker, other, consent = asked("zero_test_consent")
    honest_one = body_of(consent, ZeroTestConsent)
    for body in (
        replace(honest_one, signature=sign_digest(other.signing_key, b"d" * 32)),
        replace(
            honest_one, signature=sign_digest(checker.signing_key, checker.state.attempt.projecting.agreed)
        ),
        replace(honest_one, zero=one_more(play, honest_one.zero)),
    ):
        with pytest.raises(ProtocolViolation, match="bad_consent"):
            checker.step(again(play, consent, body))


def test_what_the_buyer_proves_zero_is_in_order_and_everything_else_is_not() -> None:
    play, checker, _, result = asked("zero_test_result")
    (consent,) = [
        one
        for one in play.wire
        if one.envelope.type == "zero_test_consent" and one.envelope.recipient == checker.address
    ]
    opening = body_of(result, ZeroTestResult).opening
    assert opening is not None
    for body in (
        ZeroTestResult(),
        ZeroTestResult(opening=Shown(plaintext=0, root=opening.root + 1)),
        ZeroTestResult(opening=Shown(plaintext=1, root=opening.root)),
        ZeroTestResult(opening=Shown(plaintext=int(play.world.key.n), root=opening.root)),
    ):
        one = checker.copy()
        wrong = again(play, result, body)
        (first, *_) = said(one.step(wrong), CheckVerdict)
        assert first == CheckVerdict(in_order=False, ground="projection", evidence=(wrong, consent))
    checker.step(result)
    assert checker.state.attempt.projecting.is_zero
    with pytest.raises(ProtocolViolation, match="answered_twice"):
        checker.step(again(play, result, ZeroTestResult()))


def test_answers_wait_for_what_they_answer() -> None:
    play, checker, _, _ = asked("projection_answer")
    whole = played("show")
    other = checker.state.attempt.other_checker(checker.address)
    for name, sender in (("zero_test_consent", other), ("zero_test_result", play.world.buyer)):
        (one,) = [
            one
            for one in whole.wire
            if one.envelope.type == name and one.envelope.recipient == checker.address
        ]
        assert one.envelope.sender == sender
        with pytest.raises(EarlyInput):
            checker.step(one)


def test_products_that_are_not_those_of_the_updates_are_found_out() -> None:
    """A buyer that multiplies other numbers than it was asked about: both tests fail, at any checker."""
    play = played()
    numbers = list(play.measured.answer_body.numbers)
    numbers[0] = one_more(play, numbers[0])
    false = replace(play.measured.answer_body, numbers=tuple(numbers))
    answer = play.signed(play.world.buyer, play.world.aggregator, false)
    play.change = honest
    play.show(replace(play.measured.evidence, answer=answer))
    play.run()
    verdicts = [body_of(one, CheckVerdict) for one in play.of_type("check_verdict")]
    assert [(one.in_order, one.ground) for one in verdicts] == [(False, "projection")] * 2
