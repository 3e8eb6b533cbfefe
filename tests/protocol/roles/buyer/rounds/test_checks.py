"""What a checker cannot have the buyer multiply or open, and what an aggregator cannot open with its help."""

from typing import Any, NamedTuple

import pytest

from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Maker
from protocol.errors import ProtocolViolation
from protocol.learning.projection.answer import read_projection_answer
from protocol.learning.projection.countersigning import consent
from protocol.messages.rounds import ProjectionRequest, ZeroTestRequest
from protocol.roles.buyer.rounds.checks import (
    on_projection_request,
    on_ring_opening_request,
    on_zero_test_request,
)
from protocol.roles.buyer.state import RunningState
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import replace
from protocol.signatures import sign_digest
from protocol.types import RoundAttempt
from tests.support.projections import Question as Asked
from tests.support.projections import ZeroTest, ask, zero_test
from tests.support.roles.checked_attempt import answers, blobs_of, measuring
from tests.support.roles.ring_players import STREAM

WORLD, ATTEMPT, STATE = measuring()
ASKER, OTHER = WORLD.checkers
BYSTANDER = next(one for one in WORLD.members if one not in WORLD.checkers)


class Test(NamedTuple):
    """A checker's question that was answered, and the test that it makes of it."""

    __test__ = False

    state: RunningState
    blobs: dict[bytes, bytes]
    question: Asked
    answer: tuple[Any, ...]
    zero: ZeroTest

    def digest(self) -> bytes:
        return consent(ATTEMPT.projection, self.question.request, self.answer, self.zero.ciphertext)

    def body(self, signer: str = OTHER, zero: Any = None) -> ZeroTestRequest:
        (written,) = write_ciphertexts(WORLD.key, [self.zero.ciphertext if zero is None else zero])
        return ZeroTestRequest(zero=written, signature=sign_digest(WORLD.keys[signer], self.digest()))


def question() -> tuple[Asked, ProjectionRequest]:
    asked = ask(ATTEMPT.projection, STREAM.bytes(32))
    return asked, ProjectionRequest(masked=tuple(write_ciphertexts(WORLD.key, asked.request)))


@pytest.fixture(scope="module")
def test() -> Test:
    asked, body = question()
    step = on_projection_request(STATE, WORLD.sent(ASKER, body), WORLD.context())
    numbers = answers(step)[0].numbers
    flat = read_ciphertexts(WORLD.key, numbers, len(numbers))
    answer = read_projection_answer(flat, ATTEMPT.projection.sets)
    zero = zero_test(ATTEMPT.projection, asked, answer, STREAM.bytes(32))
    return Test(step.state, blobs_of(step), asked, answer, zero)


def refused(handler: Any, state: Any, item: Any, blobs: dict[bytes, bytes] | None = None) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        handler(state, item, WORLD.context(blobs))
    return caught.value.code


def test_nobody_but_the_two_checkers_asks(test: Test) -> None:
    _, body = question()
    trainer = WORLD.parties.seats[0]
    for sender in (BYSTANDER, trainer, WORLD.aggregator):
        assert refused(on_projection_request, STATE, WORLD.sent(sender, body)) == "not_a_checker"
        assert refused(on_zero_test_request, test.state, WORLD.sent(sender, test.body())) == "not_a_checker"


def test_a_checker_asks_once(test: Test) -> None:
    _, body = question()
    assert refused(on_projection_request, test.state, WORLD.sent(ASKER, body)) == "asked_twice"
    assert on_projection_request(test.state, WORLD.sent(OTHER, body), WORLD.context()).progressed


def test_a_question_is_about_answered_moments_of_an_announced_attempt() -> None:
    _, body = question()
    bare = replace(STATE, exchanges=())
    assert refused(on_projection_request, bare, WORLD.sent(ASKER, body)) == "nothing_answered"
    unannounced = replace(STATE, attempts=())
    with pytest.raises(EarlyInput):
        on_projection_request(unannounced, WORLD.sent(ASKER, body), WORLD.context())
    with pytest.raises(EarlyInput):
        on_projection_request(STATE, WORLD.sent(ASKER, body, at=(1, 2)), WORLD.context())
    assert refused(on_projection_request, STATE, WORLD.sent(ASKER, body, at=(2, 1))) == "round_out_of_order"
    opened = replace(STATE, link=WORLD.link.model_copy(update={"round": 1}))
    with pytest.raises(StaleInput):
        on_projection_request(opened, WORLD.sent(ASKER, body), WORLD.context())


def test_a_question_of_an_attempt_that_is_over_is_late() -> None:
    newer = STATE.attempts[0].model_copy(update={"attempt": 2})
    _, body = question()
    with pytest.raises(StaleInput):
        on_projection_request(
            replace(STATE, attempts=(*STATE.attempts, newer)), WORLD.sent(ASKER, body), WORLD.context()
        )
    assert newer.at == RoundAttempt(1, 2)


def test_a_question_of_another_length_is_refused() -> None:
    _, body = question()
    longer = ProjectionRequest(masked=(*body.masked, body.masked[0]))
    assert refused(on_projection_request, STATE, WORLD.sent(ASKER, longer)) == "wrong_count"


def test_nothing_is_opened_that_the_other_checker_has_not_signed(test: Test) -> None:
    """Alone a checker could ask whether any number is zero: a weight, by a test of its own making."""
    for signer in (ASKER, BYSTANDER, WORLD.aggregator):
        item = WORLD.sent(ASKER, test.body(signer))
        assert refused(on_zero_test_request, test.state, item, test.blobs) == "not_countersigned"
    weight = WORLD.vectors[0][0]
    item = WORLD.sent(ASKER, test.body(zero=weight))
    assert refused(on_zero_test_request, test.state, item, test.blobs) == "not_countersigned"


def test_a_signature_for_one_question_opens_no_other(test: Test) -> None:
    asked, body = question()
    step = on_projection_request(test.state, WORLD.sent(OTHER, body), WORLD.context())
    blobs = {**test.blobs, **blobs_of(step)}
    item = WORLD.sent(OTHER, test.body(ASKER))
    assert refused(on_zero_test_request, step.state, item, blobs) == "not_countersigned"
    assert asked.request != test.question.request


def test_a_test_is_opened_once(test: Test) -> None:
    opened = on_zero_test_request(test.state, WORLD.sent(ASKER, test.body()), WORLD.context(test.blobs))
    assert answers(opened)[0].opening is not None
    again = WORLD.sent(ASKER, test.body())
    assert refused(on_zero_test_request, opened.state, again, test.blobs) == "asked_twice"


def test_a_test_without_a_question_is_refused(test: Test) -> None:
    assert refused(on_zero_test_request, STATE, WORLD.sent(ASKER, test.body())) == "nothing_answered"


def test_of_a_test_that_is_not_zero_no_number_is_shown(test: Test) -> None:
    """Countersigned by an accomplice, it still tells no more than that it is not zero."""
    weight = WORLD.vectors[0][0]
    digest = consent(ATTEMPT.projection, test.question.request, test.answer, weight)
    (zero,) = write_ciphertexts(WORLD.key, [weight])
    body = ZeroTestRequest(zero=zero, signature=sign_digest(WORLD.keys[OTHER], digest))
    step = on_zero_test_request(test.state, WORLD.sent(ASKER, body), WORLD.context(test.blobs))
    assert [one.opening for one in answers(step)] == [None]


# ---- the next model ----


def asking(body: Any, sender: str = WORLD.aggregator, **place: Any) -> Any:
    return WORLD.sent(sender, body, **place)


def test_a_ring_is_opened_once_for_an_attempt() -> None:
    step = on_ring_opening_request(STATE, asking(ATTEMPT.ring_request()), WORLD.context())
    again = asking(ATTEMPT.ring_request())
    assert refused(on_ring_opening_request, step.state, again) == "already_opened"


def test_a_ring_is_opened_for_the_next_model_alone_while_nothing_is_denied() -> None:
    for purpose, code in (("metric", "wrong_purpose"), ("ranges", "not_denied")):
        body = ATTEMPT.ring_request().model_copy(update={"purpose": purpose})
        assert refused(on_ring_opening_request, STATE, asking(body)) == code


def test_all_three_makers_have_signed_this_product_in_their_order() -> None:
    """A product that one of them has not formed may hold a weight under masks that two others know."""
    aggregator, first, second = Maker
    for signers in (
        (aggregator, first, first),
        (aggregator, aggregator, aggregator),
        (aggregator, second, first),
        (first, first, second),
    ):
        body = ATTEMPT.ring_request(signers=signers)
        assert refused(on_ring_opening_request, STATE, asking(body)) == "not_agreed"
    body = ATTEMPT.ring_request()
    other = body.model_copy(update={"product": body.product[::-1]})
    assert refused(on_ring_opening_request, STATE, asking(other)) == "not_agreed"


def test_signatures_of_another_attempts_checkers_open_nothing() -> None:
    """The buyer derives the checkers itself: an aggregator cannot bring others."""
    second = STATE.attempts[0].model_copy(update={"attempt": 2})
    state = replace(STATE, attempts=(*STATE.attempts, second))
    body = ATTEMPT.ring_request()
    assert refused(on_ring_opening_request, state, asking(body, at=(1, 2))) == "not_agreed"


def test_only_the_aggregator_has_a_ring_opened() -> None:
    body = ATTEMPT.ring_request()
    assert refused(on_ring_opening_request, STATE, asking(body, sender=ASKER)) == "wrong_sender"
