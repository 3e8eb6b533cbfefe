"""Nothing is opened but the one test that seeds give, and a refusal of it is judged by them."""

from dataclasses import dataclass, replace

import pytest

from protocol.crypto.cipher import Ciphertext, PrivateKey, blind_for_key_holder
from protocol.learning.projection.answer import flat_answer, open_zero
from protocol.learning.projection.countersigning import (
    Liar,
    Refusal,
    consent,
    judge_refusal,
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
    return blind_for_key_holder(case.round.key, [case.round.vectors[trainer][weight]], case.round.stream)[0]


def test_a_checker_has_no_weight_tested_for_zero(case: Case) -> None:
    """It would if the buyer opened whatever a checker alone signs."""
    told = [open_zero(case.private, weight_as_a_test(case, 0, weight)) is not None for weight in (0, 1)]
    assert told == [True, False]
    for weight in (0, 1):
        assert case.refusal(zero=weight_as_a_test(case, 0, weight)) is Refusal.OTHER_ZERO_TEST


def judged(case: Case, zero: Ciphertext, now: Seeds, then: Seeds) -> Liar:
    return judge_refusal(case.projection, case.question.request, case.answer, zero, now, then.digest())


def test_seeds_tell_who_lied(case: Case) -> None:
    seeds, zero = case.test.seeds, case.test.ciphertext
    assert judged(case, zero, seeds, seeds) is Liar.COUNTERSIGNER
    assert judged(case, weight_as_a_test(case, 0, 1), seeds, seeds) is Liar.ASKER
    wrong = replace(seeds, test=seed(1))
    assert judged(case, zero, wrong, wrong) is Liar.ASKER
    for nothing in (None, 5, b"", "x" * 32):
        assert judged(case, zero, replace(seeds, question=nothing), seeds) is Liar.ASKER


def test_an_asker_cannot_show_the_other_checker_wrong_seeds_and_its_judges_the_right_ones(case: Case) -> None:
    """Judged by the seeds that it shows now alone, the honest checker would be named."""
    right, wrong = case.test.seeds, replace(case.test.seeds, test=seed(1))
    assert case.refusal(seeds=wrong) is Refusal.OTHER_ZERO_TEST
    assert judged(case, case.test.ciphertext, right, wrong) is Liar.ASKER
    assert judged(case, case.test.ciphertext, right, right) is Liar.COUNTERSIGNER


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


def test_seeds_have_one_digest(case: Case) -> None:
    seeds = case.test.seeds
    swapped = Seeds(seeds.test, seeds.question)
    assert len({seeds.digest(), swapped.digest(), replace(seeds, test=seed(1)).digest()}) == 3
