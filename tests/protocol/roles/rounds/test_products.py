"""What several parties multiply alike."""

import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import all_hold
from protocol.errors import ProtocolViolation
from protocol.learning.moments.recomputation import request_claims
from protocol.learning.moments.widths import Start
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from protocol.roles.rounds.products import (
    MomentExchange,
    public_start,
    read_mask,
    weighted_product,
    with_shares,
    write_mask,
)
from tests.support.roles.checked_attempt import CheckedAttempt, checked_attempt, measuring
from tests.support.roles.ring_players import STREAM


@pytest.fixture(scope="module")
def world() -> CheckedAttempt:
    return checked_attempt()


def exchange(world: CheckedAttempt, start: Start) -> MomentExchange:
    return MomentExchange.of(world.key, world.widths.moments, 2, start, world.request)


def test_a_mask_that_travelled_makes_the_same_request(world: CheckedAttempt) -> None:
    masks, roots = write_mask(world.key, world.mask)
    assert len({len(one) for one in (*masks, *roots)}) == 1
    asked = world.exchange.read_request(world.moment_request.masked)
    shown = read_mask(masks, roots)
    for mask, holds in ((shown, True), (read_mask(masks, roots[::-1]), False)):
        claims = request_claims(world.key, world.vectors, world.widths.moments, mask, asked)
        assert all_hold(world.key, claims) is holds


def test_a_secret_start_is_one_more_vector_at_the_updates_scale(world: CheckedAttempt) -> None:
    weights = [world.private.encrypt(3 << MODEL_SCALE, STREAM) for _ in range(3)]
    for start in (Start.UNMEASURED, Start.PUBLIC):
        assert exchange(world, start).measured(world.vectors, weights) == world.vectors
        assert exchange(world, start).vectors == 2
    *updates, last = exchange(world, Start.ENCRYPTED).measured(world.vectors, weights)
    assert updates == world.vectors
    assert [world.private.decrypt(one) for one in last] == [3 << MODEL_SCALE + COEFFICIENT_SCALE] * 3
    assert exchange(world, Start.ENCRYPTED).vectors == 3


def test_a_public_start_is_known_where_it_is_measured_and_nowhere_else(world: CheckedAttempt) -> None:
    assert exchange(world, Start.PUBLIC).public == public_start(world.request)
    assert exchange(world, Start.ENCRYPTED).public == ()
    assert len(public_start(world.request)) == world.request.parameters


def test_too_many_or_too_few_ciphertexts_are_refused(world: CheckedAttempt) -> None:
    numbers = world.moment_request.masked
    answer = measuring().attempt.answer_body.numbers
    for wrong in (numbers[:-1], (*numbers, numbers[0])):
        with pytest.raises(ProtocolViolation, match="wrong_count"):
            world.exchange.read_request(wrong)
    with pytest.raises(ProtocolViolation, match="wrong_count"):
        world.exchange.read_answer(answer[:-1])
    with pytest.raises(ProtocolViolation, match="bad_ciphertext"):
        world.exchange.read_answer((bytes(len(answer[0])), *answer[1:]))


def test_weights_and_offsets_are_in_the_product_that_all_form(world: CheckedAttempt) -> None:
    sets, widths = world.exchange.sets, world.widths.moments
    metrics = [[world.private.encrypt(v << 8 | s, STREAM) for s in range(len(sets))] for v in range(3)]
    found = weighted_product(world.key, metrics, [2, 3, 5], sets, widths)
    for place, one in enumerate(sets):
        expected = sum(w * (v << 8 | place) for v, w in enumerate([2, 3, 5])) + widths.offset(one)
        assert world.private.decrypt(found[place]) == expected


def test_shares_add_up(world: CheckedAttempt) -> None:
    shares = [[world.private.encrypt(10**k, STREAM)] for k in range(3)]
    (found,) = with_shares(world.key, [world.key.lift(5000)], shares)
    assert world.private.decrypt(found) == 5111
    with pytest.raises(ValueError, match="zip"):
        with_shares(world.key, [mpz(1), mpz(1)], shares)


def test_the_check_of_a_next_model_is_about_model_and_updates(world: CheckedAttempt) -> None:
    check = measuring().attempt.check
    statement = check.statement()
    moved = [check.model[1], check.model[0], *check.model[2:]]
    assert type(check)(check.key, check.widths, moved, check.updates).statement() != statement
    assert type(check)(check.key, check.widths, check.model, check.updates[::-1]).statement() != statement
    assert repr(check.updates) not in repr(check)
