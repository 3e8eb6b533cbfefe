"""Masks in the open: a request and a next model are made again, and whoever shows others is found out."""

from dataclasses import replace

import gmpy2
import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Mask, PrivateKey, ShortExponentBlinder
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.moments.recomputation import is_subtraction, require_request
from protocol.learning.projection.answer import open_zero
from tests.support.projections import BOUND, ProjectedRound, seed

BLINDER_SEED = b"b" * 32


def round_of(private: PrivateKey) -> ProjectedRound:
    return ProjectedRound(private, [[BOUND // 3, -5], [-BOUND // 7, 1 << 90]], trainers=2)


def test_the_request_of_the_signed_updates_is_made_again(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    require_request(one.key, one.vectors, one.widths, one.mask, one.request)


def test_a_request_of_other_updates_or_under_another_mask_is_refused(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    other = [[one.shifted(one.vectors[0][0]), one.vectors[0][1]], one.vectors[1]]
    rhos, roots = one.mask.mask.rhos, one.mask.roots
    moved = replace(one.mask, mask=Mask((rhos[0] + 1, *rhos[1:])))
    turned = replace(one.mask, roots=(roots[0] * 2 % one.key.n, *roots[1:]))
    for vectors, mask, request in (
        (other, one.mask, one.request),
        (one.vectors, moved, one.request),
        (one.vectors, turned, one.request),
        (one.vectors, one.mask, one.request[:-1]),
        (one.vectors, one.mask, [one.shifted(c) for c in one.request]),
        (one.vectors[::-1], one.mask, one.request),
    ):
        with pytest.raises(ProtocolViolation, match="other_request"):
            require_request(one.key, vectors, one.widths, mask, request)
    wide = replace(one.mask, mask=Mask(tuple(rho + int(one.key.n) for rho in rhos)))
    with pytest.raises(ProtocolViolation, match="bad_mask"):
        require_request(one.key, one.vectors, one.widths, wide, one.request)


def test_an_aggregator_that_shows_another_mask_would_have_the_honest_buyer_named(
    wide_private_key: PrivateKey,
) -> None:
    """Both checkers' tests fail over the products that everybody makes of it; the check comes before them."""
    one = round_of(wide_private_key)
    shown = replace(one.mask, mask=Mask((one.mask.mask.rhos[0] + 1, *one.mask.mask.rhos[1:])))
    blamed = one.projection(mask=shown)
    for checker in (1, 2):
        assert open_zero(one.private, one.tested(blamed, checker)[2].ciphertext) is None
    with pytest.raises(ProtocolViolation, match="other_request"):
        require_request(one.key, one.vectors, one.widths, shown, one.request)


def test_a_next_model_is_the_answer_s_without_masks(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    key, digits = one.key, one.mask.digits(2, one.widths)
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    model = next_model(key, one.answer, digits, 2, blinder, Randomness(seed(1)))
    roots = blinder.roots(2, Randomness(seed(1)))

    def shown(model: object = model, roots: object = roots, digits: object = digits) -> bool:
        return is_subtraction(key, one.answer, digits, 2, model, roots, one.stream)  # type: ignore[arg-type]

    assert shown()
    assert not shown(model=[one.shifted(model[0], 5 << 64), model[1]])
    assert not shown(model=[one.private.encrypt(7, one.stream), model[1]])
    assert not shown(digits=[[digits[0][0] + (4 << 40), digits[0][1]], digits[1]])
    assert not shown(roots=roots[::-1])
    for bad in ([], roots[:1], [*roots, roots[0]], [0, roots[1]], [None, roots[1]], [key.n + 1, roots[1]]):
        assert not shown(roots=bad)
    assert not shown(roots=[mpz(one.private.p), roots[1]])


def test_roots_are_those_of_the_blinding(wide_private_key: PrivateKey) -> None:
    key = wide_private_key.public_key
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    blinded = blinder.blind([mpz(1)] * 3, Randomness(seed(2)))
    roots = blinder.roots(3, Randomness(seed(2)))
    assert blinded == [gmpy2.powmod(root, key.n, key.n_squared) for root in roots]


def test_a_request_is_the_same_bytes_whoever_makes_it(wide_private_key: PrivateKey) -> None:
    one = round_of(wide_private_key)
    assert moment_request(one.key, one.vectors, one.widths, one.mask) == one.request
