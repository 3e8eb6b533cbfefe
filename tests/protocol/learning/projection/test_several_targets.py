"""A checker's question about several targets' weights: whoever shifts anything anywhere fails it."""

from dataclasses import replace

import pytest

from protocol.crypto.cipher import PrivateKey
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import read_answer, request_length
from protocol.learning.moments.widths import Start
from protocol.learning.projection.answer import (
    Finding,
    flat_answer,
    is_zero,
    open_zero,
    projection_answer_length,
    read_projection_answer,
    show_evidence,
)
from protocol.learning.projection.question import Projection, Seeds
from tests.support.projections import BOUND, ProjectedRound, seed

MODELS = [[BOUND - 1, 1 - BOUND, 7, 11], [2, 19, -23, BOUND // 3]]
START = [1, 2, 3, 4]


def two_targets(private: PrivateKey, start: Start = Start.UNMEASURED) -> ProjectedRound:
    models = [*MODELS, START] if start is Start.ENCRYPTED else MODELS
    return ProjectedRound(private, models, 2, start, START, targets=2)


def passes(one: ProjectedRound, projection: Projection) -> bool:
    _, _, test = one.tested(projection)
    opening = open_zero(one.private, test.ciphertext)
    return opening is not None and is_zero(one.key, test.ciphertext, opening, one.stream)


@pytest.mark.parametrize("start", Start)
def test_honest_products_pass(wide_private_key: PrivateKey, start: Start) -> None:
    one = two_targets(wide_private_key, start)
    projection = one.projection()
    assert passes(one, projection)
    question, answer, _ = one.tested(projection)
    assert len(question.request) == request_length(one.sets, projection.widths)
    assert len(flat_answer(answer)) == projection_answer_length(one.sets, 2)


def test_an_answer_that_is_wrong_anywhere_fails(wide_private_key: PrivateKey) -> None:
    """Also in a product that stands for both targets; the masked next model is checked otherwise."""
    one = ProjectedRound(wide_private_key, [model[:2] for model in MODELS], 2, targets=2)
    flat = one.answer.flat()
    for place in range(len(flat) - 2):
        wrong = [*flat[:place], one.shifted(flat[place]), *flat[place + 1 :]]
        assert not passes(one, one.projection(read_answer(wrong, one.sets, 2, 2))), place


def test_shifts_of_two_targets_do_not_take_each_other_away(wide_private_key: PrivateKey) -> None:
    """Of Xᵀy of the first target by one, and of the second's by minus one."""
    one = two_targets(wide_private_key)
    places = one.widths.places
    first, second = (places.index(((index, 4),)) for index in (0, 2))
    flat = one.answer.flat()
    flat[first], flat[second] = one.shifted(flat[first]), one.shifted(flat[second], -1)
    assert not passes(one, one.projection(read_answer(flat, one.sets, 4, 2)))


def test_a_wrong_answer_to_the_question_fails(wide_private_key: PrivateKey) -> None:
    one = two_targets(wide_private_key)
    projection = one.projection()
    question, answer, _ = one.tested(projection)
    flat = flat_answer(answer)
    for place in range(len(flat)):
        wrong = [*flat[:place], one.shifted(flat[place]), *flat[place + 1 :]]
        given = read_projection_answer(wrong, one.sets, 2)
        assert open_zero(one.private, projection.zero(Seeds(question.seed, seed(3)), given)) is None
    with pytest.raises(ProtocolViolation, match="wrong_count"):
        read_projection_answer(flat[:-1], one.sets, 2)


def test_updates_other_than_the_signed_ones_fail(wide_private_key: PrivateKey) -> None:
    """Weights of two targets exchanged with each other, too, though their squares have the same sum."""
    one = two_targets(wide_private_key)
    first, second = one.vectors
    exchanged = [[*first[2:], *first[:2]], second]
    shifted = [first, [*second[:3], one.shifted(second[3])]]
    for vectors in (exchanged, shifted):
        assert not passes(one, replace(one.projection(), vectors=vectors))


def test_the_aggregator_sees_who_was_wrong(wide_private_key: PrivateKey) -> None:
    one = two_targets(wide_private_key)
    projection = one.projection()
    question, answer, _ = one.tested(projection)
    for changed, finding in ((answer, Finding.NOT_ZERO), (None, Finding.WRONG_PRODUCTS)):
        flat = flat_answer(answer)
        given = changed or read_projection_answer([one.shifted(flat[0]), *flat[1:]], one.sets, 2)
        zero = one.private.encrypt(1, one.stream)
        evidence = show_evidence(one.private, question.request, given, zero)
        assert one.asked(projection, question, given, zero).judge(evidence, one.stream) is finding
