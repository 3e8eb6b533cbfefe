"""Zero is proven; that a test is not zero is shown to judges, who see whether the buyer answered rightly."""

from dataclasses import replace

import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Opening, PrivateKey
from protocol.errors import ProtocolViolation
from protocol.learning.moments.widths import Start
from protocol.learning.projection.answer import (
    Evidence,
    Finding,
    flat_answer,
    is_zero,
    open_zero,
    read_projection_answer,
    show_evidence,
)
from tests.support.projections import BOUND, ProjectedRound, seed, zero_test


class Case:
    """A round of two trainers, whose products the buyer made wrong or right, and one checker's test."""

    def __init__(self, private: PrivateKey, *, lie: int = 0, start: Start = Start.UNMEASURED) -> None:
        count = 2 + (start is Start.ENCRYPTED)
        self.round = ProjectedRound(private, [[BOUND // 5, -3]] * count, 2, start, [5, 6])
        first = self.round.answer.sets[0]
        wrong = first._replace(products=[self.round.shifted(first.products[0], lie), *first.products[1:]])
        answer = self.round.answer._replace(sets=[wrong, *self.round.answer.sets[1:]])
        self.projection = self.round.projection(answer)
        self.question, self.answer, self.test = self.round.tested(self.projection)
        self.stream = self.round.stream

    def evidence(self) -> Evidence:
        return show_evidence(self.round.private, self.question.request, self.answer, self.test.ciphertext)

    def judge(self, evidence: Evidence | None) -> Finding:
        asked = self.round.asked(self.projection, self.question, self.answer, self.test.ciphertext)
        return asked.judge(evidence, self.stream)


def test_zero_comes_with_a_proof_and_anything_else_without_a_word(wide_private_key: PrivateKey) -> None:
    right, wrong = Case(wide_private_key), Case(wide_private_key, lie=1)
    opening = open_zero(wide_private_key, right.test.ciphertext)
    assert opening is not None
    assert is_zero(right.round.key, right.test.ciphertext, opening, right.stream)
    assert open_zero(wide_private_key, wrong.test.ciphertext) is None
    key, ciphertext = wrong.round.key, wrong.test.ciphertext
    for forged in (
        opening,
        Opening(mpz(0), mpz(0)),
        wrong.evidence().zero,
        Opening(mpz(0), wrong.evidence().zero.root),
    ):
        assert not is_zero(key, ciphertext, forged, wrong.stream)


@pytest.mark.parametrize("start", Start)
def test_a_buyer_that_answered_what_it_was_asked_is_not_named(
    wide_private_key: PrivateKey, start: Start
) -> None:
    case = Case(wide_private_key, lie=1 << 70, start=start)
    assert case.judge(case.evidence()) is Finding.NOT_ZERO


def test_one_that_denies_a_zero_is_found_out(wide_private_key: PrivateKey) -> None:
    case = Case(wide_private_key)
    assert case.judge(case.evidence()) is Finding.ZERO


def test_one_that_answered_wrongly_is_found_out_wherever_it_did(wide_private_key: PrivateKey) -> None:
    case = Case(wide_private_key)
    flat = flat_answer(case.answer)
    for place in range(len(flat)):
        wrong = [*flat[:place], case.round.shifted(flat[place]), *flat[place + 1 :]]
        case.answer = list(read_projection_answer(wrong, case.round.sets))
        case.test = zero_test(case.projection, case.question, case.answer, seed(100 + place))
        assert open_zero(wide_private_key, case.test.ciphertext) is None
        assert case.judge(case.evidence()) is Finding.WRONG_PRODUCTS


def test_evidence_that_opens_nothing_or_something_else_is_the_buyer_s(wide_private_key: PrivateKey) -> None:
    case = Case(wide_private_key, lie=1)
    honest = case.evidence()
    moved = Opening(honest.request[0].plaintext + 1, honest.request[0].root)
    for wrong in (
        None,
        replace(honest, request=(moved, *honest.request[1:])),
        replace(honest, answer=honest.answer[::-1]),
        replace(honest, zero=Opening(mpz(0), honest.zero.root)),
        replace(honest, request=honest.request[:-1]),
        replace(honest, request=(), answer=(*honest.request, *honest.answer)),
        replace(honest, answer=()),
    ):
        assert case.judge(wrong) is Finding.FALSE_OPENING


def test_without_openings_a_buyer_could_say_anything_of_what_it_was_asked(
    wide_private_key: PrivateKey,
) -> None:
    """Told plaintexts alone, judges would take a question that nobody asked for the one that was."""
    case = Case(wide_private_key)
    other = case.round.tested(case.projection, 2)
    told = show_evidence(
        wide_private_key, other[0].request, other[1], case.round.shifted(case.test.ciphertext)
    )
    assert case.judge(told) is Finding.FALSE_OPENING
    believed = case.round.asked(case.projection, other[0], other[1], case.round.shifted(case.test.ciphertext))
    assert believed.judge(told, case.stream) is Finding.NOT_ZERO


def test_evidence_is_not_shown_by_what_holds_it(wide_private_key: PrivateKey) -> None:
    evidence = Case(wide_private_key, lie=1).evidence()
    numbers = (evidence.zero.plaintext, evidence.request[0].plaintext, evidence.answer[0].root)
    assert not [number for number in numbers if str(int(number)) in repr(evidence)]


def test_an_answer_survives_its_list_and_another_length_is_refused(wide_private_key: PrivateKey) -> None:
    for start in Start:
        case = Case(wide_private_key, start=start)
        flat = flat_answer(case.answer)
        assert list(read_projection_answer(flat, case.round.sets)) == case.answer
        for wrong in (flat[:-1], [*flat, flat[0]], []):
            with pytest.raises(ProtocolViolation, match="wrong_count"):
                read_projection_answer(wrong, case.round.sets)
