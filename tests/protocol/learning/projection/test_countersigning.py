"""Nothing is opened but the one test that seeds give, and a refusal of it is judged by them."""

from dataclasses import dataclass, replace

import pytest

from protocol.crypto.cipher import Ciphertext, PrivateKey, RootedProduct
from protocol.learning.projection.answer import flat_answer, open_zero
from protocol.learning.projection.countersigning import (
    Refusal,
    consent,
    refusal,
    zero_test_digest,
)
from protocol.learning.projection.question import Seeds
from tests.support.projections import BOUND, ProjectedRound, seed


@dataclass
class Case:
    """A checker's question, its answer and its test, as signed, with what the checker shows of them."""

    private: PrivateKey

    def __post_init__(self) -> None:
        self.round = ProjectedRound(self.private, [[0, BOUND // 3], [-9, 1 << 99]], 2)
        self.projection = self.round.projection()
        self.question, self.answer, self.test = self.round.tested(self.projection)

    def refusal(
        self, *, request=None, answer=None, zero: Ciphertext | None = None, seeds: Seeds | None = None
    ) -> Refusal | None:
        return refusal(
            self.projection,
            self.question.request if request is None else request,
            answer or self.answer,
            zero or self.test.ciphertext,
            seeds or self.test.seeds,
        )


@pytest.fixture
def case(wide_private_key: PrivateKey) -> Case:
    return Case(wide_private_key)


def test_an_honest_question_is_countersigned(case: Case) -> None:
    assert case.refusal() is None


def test_refusals_name_their_reason(case: Case) -> None:
    one, seeds = case.round, case.test.seeds
    assert case.refusal(request=[one.shifted(c) for c in case.question.request]) is Refusal.OTHER_REQUEST
    assert case.refusal(request=case.question.request[:-1]) is Refusal.OTHER_REQUEST
    assert case.refusal(seeds=replace(seeds, question=seed(1))) is Refusal.OTHER_REQUEST
    assert case.refusal(seeds=replace(seeds, test=seed(1))) is Refusal.OTHER_ZERO_TEST
    assert case.refusal(zero=one.shifted(case.test.ciphertext)) is Refusal.OTHER_ZERO_TEST
    other = case.round.tested(case.projection, 2)
    assert case.refusal(answer=other[1]) is Refusal.OTHER_ZERO_TEST
    for bad in (b"", b"x" * 31, b"x" * 33, None, 5, "x" * 32):
        for place in ("question", "test"):
            assert case.refusal(seeds=replace(seeds, **{place: bad})) is Refusal.NO_SEEDS


def weight_as_a_test(case: Case, trainer: int, weight: int) -> Ciphertext:
    """A checker that wants to know whether one weight of an update is zero."""
    ciphertext = case.round.vectors[trainer][weight]
    key = case.round.key
    return RootedProduct([ciphertext], [1], 0, case.round.stream.unit(key.n)).ciphertext(key)


def test_a_checker_has_no_weight_tested_for_zero(case: Case) -> None:
    """It would if the buyer opened whatever a checker alone signs."""
    told = [open_zero(case.private, weight_as_a_test(case, 0, weight)) is not None for weight in (0, 1)]
    assert told == [True, False]
    for weight in (0, 1):
        assert case.refusal(zero=weight_as_a_test(case, 0, weight)) is Refusal.OTHER_ZERO_TEST


def test_consent_is_to_one_request_answer_and_test(case: Case) -> None:
    one = case.round
    request, answer, zero = case.question.request, case.answer, case.test.ciphertext
    other = one.tested(case.projection, 2)
    digests = {
        consent(case.projection, *signed)
        for signed in (
            (request, answer, zero),
            (other[0].request, answer, zero),
            (request, other[1], zero),
            (request, answer, one.shifted(zero)),
        )
    }
    assert len(digests) == 4
    flat = flat_answer(answer)
    assert zero_test_digest(one.key, request, flat, zero) == consent(case.projection, request, answer, zero)
