"""Masks in the open: request and next model are held against them; whoever shows others is found out."""

from dataclasses import replace

import gmpy2
import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Mask, PrivateKey, ShortExponentBlinder, all_hold
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentMask, moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.moments.recomputation import request_claims, subtraction_claims
from protocol.learning.projection.answer import open_zero
from tests.support.projections import BOUND, ProjectedRound, seed

BLINDER_SEED = b"b" * 32


def round_of(private: PrivateKey) -> ProjectedRound:
    return ProjectedRound(private, [[BOUND // 3, -5], [-BOUND // 7, 1 << 90]], trainers=2)


def requested(one: ProjectedRound, vectors=None, mask: MomentMask | None = None, request=None) -> bool:
    vectors, mask = vectors or one.vectors, mask or one.mask
    return all_hold(one.key, request_claims(one.key, vectors, one.widths, mask, request or one.request))


def test_the_request_of_the_signed_updates_holds(wide_private_key: PrivateKey) -> None:
    assert requested(round_of(wide_private_key))


def test_a_request_of_other_updates_or_under_another_mask_does_not_hold(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    other = [[one.shifted(one.vectors[0][0]), one.vectors[0][1]], one.vectors[1]]
    rhos, roots = one.mask.mask.rhos, one.mask.roots
    moved = replace(one.mask, mask=Mask((rhos[0] + 1, *rhos[1:])))
    turned = replace(one.mask, roots=(roots[0] * 2 % one.key.n, *roots[1:]))
    for vectors, mask, request in (
        (other, one.mask, one.request),
        (one.vectors, moved, one.request),
        (one.vectors, turned, one.request),
        (one.vectors, one.mask, [one.shifted(c) for c in one.request]),
        (one.vectors[::-1], one.mask, one.request),
    ):
        assert not requested(one, vectors, mask, request)
    with pytest.raises(ProtocolViolation, match="other_request"):
        request_claims(one.key, one.vectors, one.widths, one.mask, one.request[:-1])
    wide = replace(one.mask, mask=Mask(tuple(rho + int(one.key.n) for rho in rhos)))
    with pytest.raises(ProtocolViolation, match="bad_mask"):
        requested(one, mask=wide)


def test_an_aggregator_that_shows_another_mask_would_have_the_honest_buyer_named(
    wide_private_key: PrivateKey,
) -> None:
    """Both checkers' tests fail over the products that everybody makes of it; the check comes before them."""
    one = round_of(wide_private_key)
    shown = replace(one.mask, mask=Mask((one.mask.mask.rhos[0] + 1, *one.mask.mask.rhos[1:])))
    blamed = one.projection(mask=shown)
    for checker in (1, 2):
        assert open_zero(one.private, one.tested(blamed, checker)[2].ciphertext) is None
    assert not requested(one, mask=shown)


def test_a_next_model_is_the_answer_s_without_masks(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    key, digits = one.key, one.mask.digits(2, one.widths)
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    model = next_model(key, one.answer, digits, 2, blinder, Randomness(seed(1)))
    roots = blinder.roots(2, Randomness(seed(1)))

    def shown(model=model, roots=roots, digits=digits) -> bool:
        return all_hold(key, subtraction_claims(key, one.answer, digits, 2, model, roots))

    assert shown()
    assert not shown(model=[one.shifted(model[0], 5 << 64), model[1]])
    assert not shown(model=[one.private.encrypt(7, one.stream), model[1]])
    assert not shown(digits=[[digits[0][0] + (4 << 40), digits[0][1]], digits[1]])
    assert not shown(roots=roots[::-1])
    none = mpz(one.private.p)
    for bad in (
        [],
        roots[:1],
        [*roots, roots[0]],
        [0, roots[1]],
        [None, roots[1]],
        [key.n + 1, roots[1]],
        [none] * 2,
    ):
        with pytest.raises(ProtocolViolation, match="wrong_subtraction"):
            shown(roots=bad)


def test_an_error_in_the_request_is_not_cancelled_by_one_in_the_next_model(
    wide_private_key: PrivateKey,
) -> None:
    """Both are checked in one equation: errors of δ and −δ do not cancel."""
    one = round_of(wide_private_key)
    key, digits = one.key, one.mask.digits(2, one.widths)
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    model = next_model(key, one.answer, digits, 2, blinder, Randomness(seed(1)))
    roots = blinder.roots(2, Randomness(seed(1)))

    def shown(of_request: int, of_model: int) -> bool:
        request = [one.shifted(one.request[0], of_request), *one.request[1:]]
        other = [one.shifted(model[0], of_model), model[1]]
        claims = request_claims(key, one.vectors, one.widths, one.mask, request)
        return all_hold(key, [*claims, *subtraction_claims(key, one.answer, digits, 2, other, roots)])

    assert shown(0, 0)
    assert not any(shown(a, b) for a, b in ((1, -1), (1, 1), (0, 1), (1, 0), (2, -1), (-1, 2)))


def test_roots_are_those_of_the_blinding(wide_private_key: PrivateKey) -> None:
    key = wide_private_key.public_key
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    blinded = blinder.blind([mpz(1)] * 3, Randomness(seed(2)))
    roots = blinder.roots(3, Randomness(seed(2)))
    assert blinded == [gmpy2.powmod(root, key.n, key.n_squared) for root in roots]


def test_a_request_is_the_same_bytes_whoever_makes_it(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    assert moment_request(one.key, one.vectors, one.widths, one.mask) == one.request
