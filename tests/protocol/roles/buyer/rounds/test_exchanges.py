"""The buyer's part in an honest attempt, from the moments to the record, against plain numbers."""

import numpy as np
import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Opening, read_ciphertexts, verify_openings, write_ciphertexts
from protocol.crypto.ring.context import Maker
from protocol.learning.checked_openings.sums import vectors_out_of_range
from protocol.learning.kinds.registry import kind_of
from protocol.learning.projection.answer import is_zero, read_projection_answer
from protocol.learning.projection.countersigning import consent
from protocol.learning.scales import MODEL_SCALE
from protocol.learning.shapley import mse_after_fixed
from protocol.messages.rounds import ProjectionRequest, RingOpeningRequest, ZeroTestRequest
from protocol.records import FIXED_POINT
from protocol.roles.buyer.rounds.checks import (
    on_projection_request,
    on_ring_opening_request,
    on_zero_test_request,
)
from protocol.roles.buyer.rounds.opening import on_metric_opening_request
from protocol.roles.rounds import ring
from protocol.signatures import recover_address, sign_digest
from tests.support.projections import ask, zero_test
from tests.support.roles.checked_attempt import AT, Measuring, answers, blobs_of, measuring
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.ring_players import STREAM
from tests.support.roles.small_markets import COLUMNS


@pytest.fixture
def under_way() -> Measuring:
    return measuring()


def plain_errors(found: Measuring) -> tuple[float, list[float], list[float]]:
    """v₀, q and c of the members' rows under their weights, from plain numbers."""
    world = found.world
    statistics = [make_statistic(COLUMNS, rows) for rows in world.data]
    kind = kind_of(world.request)
    factors = [kind.measuring_factor(world.request, one) for one in statistics]
    start = np.array([float(one) for one in world.request.start_weights()])
    maps = [kind.training_map(world.request, one) for one in statistics[:2]]
    models = [matrix @ start + offset for matrix, offset in maps]
    weights = list(found.attempt.weights.values())

    def error(a, b) -> float:
        left, right = np.append(a, -1), np.append(b, -1)
        members = zip(weights, factors[2:], strict=True)
        return float(sum(w * (f @ left) @ (f @ right) for w, f in members) / sum(weights))

    both = [np.append(one, -1) for one in models]
    cross = []
    for one in both:
        total = np.sum(both, axis=0)
        members = zip(weights, factors[2:], strict=True)
        cross.append(float(sum(w * (f @ one) @ (f @ total) for w, f in members) / sum(weights)))
    return error(start, start), [error(one, one) for one in models], cross


def test_the_record_is_that_of_plain_numbers(under_way: Measuring) -> None:
    world, attempt = under_way.world, under_way.attempt
    asked = world.sent(world.aggregator, attempt.opening_request())
    step = on_metric_opening_request(under_way.state, asked, world.context())
    opening = answers(step)[0]
    record, (start, own, cross) = opening.record, plain_errors(under_way)
    assert record.mse_before / FIXED_POINT == pytest.approx(start, abs=1e-6)
    assert [one / FIXED_POINT for one in record.own] == pytest.approx(own, abs=1e-6)
    assert [one / FIXED_POINT for one in record.cross] == pytest.approx(cross, abs=2e-6)
    assert (record.trainers, record.validators) == (world.parties.trainers, world.parties.validators)
    assert recover_address(record.digest(MARKET), opening.signature) == world.buyer
    openings = [Opening(mpz(m), mpz(r)) for m, r in zip(opening.plaintexts, opening.roots, strict=True)]
    assert verify_openings(world.key, attempt.noisy, openings, STREAM)
    assert [one.recipient for one in step.effects[:-1]] == [world.aggregator, *world.members]
    assert step.state.link.round == 1
    assert step.state.link.mse_after == mse_after_fixed(record.cross, 2)
    assert step.state.link.transcript != world.link.transcript


def test_what_was_answered_is_dropped_once_its_round_is_opened(under_way: Measuring) -> None:
    """The record of a round stays until the next one: another may be proven by it; questions do not."""
    world, attempt = under_way.world, under_way.attempt
    asked = world.sent(world.aggregator, attempt.opening_request())
    state = on_metric_opening_request(under_way.state, asked, world.context()).state
    assert state.signed(1).record.round == 1
    assert [one.at for one in state.attempts] == [AT]
    assert state.standing == world.parties.validators


def test_the_next_model_is_the_mean_of_the_local_ones(under_way: Measuring) -> None:
    world, attempt = under_way.world, under_way.attempt
    statistics = [make_statistic(COLUMNS, rows) for rows in world.data[:2]]
    start = np.array([float(one) for one in world.request.start_weights()])
    maps = [kind_of(world.request).training_map(world.request, one) for one in statistics]
    expected = np.mean([matrix @ start + offset for matrix, offset in maps], axis=0)
    found = [world.key.signed(world.private.decrypt(one)) / 2**MODEL_SCALE for one in attempt.model]
    assert found == pytest.approx(expected, abs=1e-9)


def test_both_checkers_find_the_products_right(under_way: Measuring) -> None:
    world, projection, state = under_way.world, under_way.attempt.projection, under_way.state
    for checker in world.checkers:
        question = ask(projection, STREAM.bytes(32))
        masked = tuple(write_ciphertexts(world.key, question.request))
        step = on_projection_request(
            state, world.sent(checker, ProjectionRequest(masked=masked)), world.context()
        )
        numbers = answers(step)[0].numbers
        flat = read_ciphertexts(world.key, numbers, len(numbers))
        answer = read_projection_answer(flat, projection.sets)
        test = zero_test(projection, question, answer, STREAM.bytes(32))
        other = next(one for one in world.checkers if one != checker)
        digest = consent(projection, question.request, answer, test.ciphertext)
        (zero,) = write_ciphertexts(world.key, [test.ciphertext])
        body = ZeroTestRequest(zero=zero, signature=sign_digest(world.keys[other], digest))
        opened = on_zero_test_request(step.state, world.sent(checker, body), world.context(blobs_of(step)))
        shown = answers(opened)[0].opening
        assert is_zero(world.key, test.ciphertext, Opening(mpz(shown.plaintext), mpz(shown.root)), STREAM)
        state = opened.state


def test_both_checkers_find_the_next_model_in_range(under_way: Measuring) -> None:
    world, attempt = under_way.world, under_way.attempt
    players = attempt.model_ring
    product = attempt.model_product(players)
    step = on_ring_opening_request(
        under_way.state, world.sent(world.aggregator, attempt.ring_request()), world.context()
    )
    assert [one.recipient for one in step.effects] == list(world.checkers)
    vectors = answers(step)[0].vectors
    shown = [tuple(Opening(mpz(o.plaintext), mpz(o.root)) for o in one.openings) or None for one in vectors]
    for maker in (Maker.FIRST_CHECKER, Maker.SECOND_CHECKER):
        player = players[maker]
        known = ring.known_shares(player.ring, player.view, player.context())
        widths = world.widths.next_model.sums
        out = vectors_out_of_range(world.key, widths, product.ciphertexts, shown, known, STREAM)
        assert out == []


def test_a_next_model_that_is_no_mean_is_out_of_range(under_way: Measuring) -> None:
    """All three makers agree to open it, and the buyer shows nothing of it."""
    world, attempt = under_way.world, under_way.attempt
    moved = [world.key.add(attempt.model[0], world.key.lift(1 << 60)), *attempt.model[1:]]
    body = attempt.ring_request(model=moved)
    assert isinstance(body, RingOpeningRequest)
    step = on_ring_opening_request(under_way.state, world.sent(world.aggregator, body), world.context())
    assert [one.openings for one in answers(step)[0].vectors] == [()]
