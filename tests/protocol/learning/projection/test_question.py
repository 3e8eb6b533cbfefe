"""A projection's test is zero if the products are those of the updates, and else it is not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.cipher import Ciphertext, PrivateKey
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, WidthError
from protocol.learning.moments.exchange import MomentAnswer, answer_length, read_answer
from protocol.learning.moments.widths import MomentWidths, Start, pairs
from protocol.learning.projection.answer import flat_answer, open_zero, read_projection_answer
from protocol.learning.projection.question import (
    COEFFICIENT_BITS,
    Projection,
    Seeds,
    projection_widths,
)
from protocol.learning.scales import UPDATE_SCALE
from tests.support.projections import BOUND, ProjectedRound, seed
from tests.support.proofs import private_key

WEIGHTS = st.integers(1 - BOUND, BOUND - 1)


def drawn(data: st.DataObject, count: int, parameters: int) -> list[list[int]]:
    vector = st.lists(WEIGHTS, min_size=parameters, max_size=parameters)
    return data.draw(st.lists(vector, min_size=count, max_size=count))


def is_zero(one: ProjectedRound, projection: Projection, number: int = 1) -> bool:
    return open_zero(one.private, one.tested(projection, number)[2].ciphertext) is not None


def two_trainers(private: PrivateKey) -> ProjectedRound:
    return ProjectedRound(private, [[BOUND // 3, -7], [1 - BOUND, 1 << 100]], 2)


@settings(max_examples=6)
@given(st.data())
def test_the_test_of_an_honest_exchange_is_zero(wide_private_key: PrivateKey, data: st.DataObject) -> None:
    start, trainers = data.draw(st.sampled_from(Start)), data.draw(st.integers(2, 3))
    parameters = data.draw(st.integers(1, 3))
    models = drawn(data, trainers + (start is Start.ENCRYPTED), parameters)
    public = drawn(data, 1, parameters)[0] if start is Start.PUBLIC else []
    one = ProjectedRound(wide_private_key, models, trainers, start, public)
    assert is_zero(one, one.projection())


@pytest.mark.parametrize("start", [Start.PUBLIC, Start.ENCRYPTED])
def test_so_is_that_of_a_single_slot_set(start: Start) -> None:
    one = ProjectedRound(
        private_key(2048), [[5, -BOUND + 1]] * (2 + (start is Start.ENCRYPTED)), 2, start, [3, 9]
    )
    assert len(one.sets) == 1
    assert is_zero(one, one.projection())


def test_a_test_is_the_sum_that_the_definition_says(wide_private_key: PrivateKey) -> None:
    """In plain integers: a·Σ_s f_s·(Σ β_i·β_j·(P_ij + 1 in one place) − w) leaves a·f_s·β_i·β_j."""
    one = two_trainers(wide_private_key)
    honest, n = one.projection(), one.key.n
    question, answer, _ = one.tested(honest)
    test = seed(9)
    beta_stream = Randomness(question.seed).child("coefficients")
    beta = [beta_stream.bits(64) for _ in range(3)]
    stream = Randomness(test)
    factors, exponent = honest.factors(stream), int(stream.child("exponent").unit(n))
    assert (factors[0], len(factors)) == (1, len(one.sets))
    for place, (i, j) in enumerate(pairs(3)[:-1]):
        for index, factor in enumerate(factors):
            wrong = list(honest.moments)
            given_answer = wrong[index].answer
            products = list(given_answer.products)
            products[place] = one.shifted(products[place])
            wrong[index] = replace(wrong[index], answer=given_answer._replace(products=products))
            zero = replace(honest, moments=tuple(wrong)).zero(Seeds(question.seed, test), answer)
            assert one.private.decrypt(zero) == exponent * factor * beta[i] * beta[j] % n


def test_an_answer_that_is_wrong_anywhere_fails(wide_private_key: PrivateKey) -> None:
    """Whatever the buyer shifts; the masked next model, last in the list, is checked otherwise."""
    one = ProjectedRound(wide_private_key, [[BOUND // 3], [1 - BOUND]], 2)
    flat = one.answer.flat()
    assert len(flat) == answer_length(one.sets, 1)
    for place in range(len(flat) - 1):
        wrong = [*flat[:place], one.shifted(flat[place]), *flat[place + 1 :]]
        assert not is_zero(one, one.projection(read_answer(wrong, one.sets, 1)))


def test_so_does_a_wrong_answer_to_the_question(wide_private_key: PrivateKey) -> None:
    one = two_trainers(wide_private_key)
    projection = one.projection()
    question, answer, _ = one.tested(projection)
    flat = flat_answer(answer)
    for place in range(len(flat)):
        wrong = read_projection_answer(
            [*flat[:place], one.shifted(flat[place]), *flat[place + 1 :]], one.sets
        )
        zero = projection.zero(Seeds(question.seed, seed(3)), wrong)
        assert open_zero(one.private, zero) is None


def test_updates_other_than_the_signed_ones_fail(wide_private_key: PrivateKey) -> None:
    one = two_trainers(wide_private_key)
    signed = [[one.shifted(one.vectors[0][0]), one.vectors[0][1]], one.vectors[1]]
    assert not is_zero(one, replace(one.projection(), vectors=signed))


class Foreseen(Projection):
    """With factors that the key's holder knows before it answers."""

    def factors(self, stream: Randomness) -> list[int]:
        stream.child("factors")
        return [1 for _ in self.moments]


def cancelling(one: ProjectedRound) -> tuple[MomentAnswer, int]:
    """A buyer's answer whose products are too large by one in one slot set and too small in the other."""
    first, second = one.answer.sets
    wrong = [
        first._replace(products=[one.shifted(first.products[0], 1), *first.products[1:]]),
        second._replace(products=[one.shifted(second.products[0], -1), *second.products[1:]]),
    ]
    return one.answer._replace(sets=wrong), 1


def test_a_lie_in_one_set_cannot_take_away_one_in_another(wide_private_key: PrivateKey) -> None:
    """It could if all sets counted alike."""
    one = two_trainers(wide_private_key)
    wrong, _ = cancelling(one)
    projection = one.projection(wrong)
    assert not is_zero(one, projection)
    foreseen = Foreseen(projection.vectors, projection.moments, projection.widths)
    assert is_zero(one, foreseen)


def guessing(one: ProjectedRound, beta: Sequence[int]) -> tuple[Projection, list[Ciphertext]]:
    """A buyer that adds δ to a product and what that makes under a β to its answer."""
    first = one.answer.sets[0]
    wrong = first._replace(products=[one.shifted(first.products[0]), *first.products[1:]])
    projection = one.projection(one.answer._replace(sets=[wrong, *one.answer.sets[1:]]))
    answer = flat_answer(one.reply(projection, projection.request(seed(2))))
    answer[0] = one.shifted(answer[0], beta[0] ** 2)
    return projection, answer


def test_a_buyer_that_knows_the_coefficients_passes_and_one_that_does_not_fails(
    wide_private_key: PrivateKey,
) -> None:
    one = two_trainers(wide_private_key)
    stream = Randomness(seed(2)).child("coefficients")
    known = [stream.bits(COEFFICIENT_BITS) for _ in range(3)]
    for beta, passes in ((known, True), ([one + 1 for one in known], False)):
        projection, answer = guessing(one, beta)
        zero = projection.zero(Seeds(seed(2), seed(3)), read_projection_answer(answer, one.sets))
        assert (open_zero(one.private, zero) is not None) is passes


def test_seeds_are_not_shown() -> None:
    seeds = Seeds(seed(4), seed(5))
    for hidden in (seeds.question, seeds.test):
        assert repr(hidden) not in repr(seeds)
        assert hidden.hex() not in repr(seeds)


def test_questions_and_tests_differ_and_follow_from_their_seeds(wide_private_key: PrivateKey) -> None:
    one = two_trainers(wide_private_key)
    projection = one.projection()
    (first, answer, test), (second, _, _) = one.tested(projection, 1), one.tested(projection, 2)
    assert not set(first.request) & set(second.request)
    assert projection.request(first.seed) == list(first.request)
    assert projection.zero(test.seeds, answer) == test.ciphertext
    assert projection.zero(replace(test.seeds, test=seed(8)), answer) != test.ciphertext


@settings(max_examples=30)
@given(st.integers(1, 200), st.sampled_from([1280, 2048, 3072]))
def test_a_combination_of_weights_in_range_fits_its_slot(parameters: int, key_bits: int) -> None:
    widths = MomentWidths.fit(
        key_bits=key_bits, parameters=parameters, trainers=3, weights=1, weight_bits=24, residual_bits=3
    )
    layout = projection_widths(widths, key_bits).request
    largest = (parameters + 1) * ((1 << COEFFICIENT_BITS) - 1) * ((1 << (UPDATE_SCALE + 24)) - 1)
    assert largest < 1 << (layout.slot_bits - 64)
    assert layout.per_plaintext * layout.slot_bits + 64 <= key_bits


def test_vectors_that_are_not_the_sets_and_keys_without_room_are_refused(
    wide_private_key: PrivateKey,
) -> None:
    one = two_trainers(wide_private_key)
    projection = one.projection()
    for wrong in ({"vectors": one.vectors[:1]}, {"moments": ()}):
        with pytest.raises(MisuseError, match="vectors"):
            replace(projection, **wrong)
    with pytest.raises(WidthError, match="one value needs"):
        projection_widths(one.widths, 256)
