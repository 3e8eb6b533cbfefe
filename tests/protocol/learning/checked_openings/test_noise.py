"""Noise in opened errors: as wide as it should be, by three, and never anything else than noise."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.ring.commitments import Commitments, commit, statement_digest
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import RingProduct, require_agreed
from protocol.crypto.ring.shares import OwnShare, Share
from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.checked_openings.noise import noise_bound, noise_form, with_offsets
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.learning.scales import ENTRY_SCALE, UPDATE_SCALE
from tests.support.proofs import private_key
from tests.support.ring import STREAM, encrypted, ring_context, secret, workshop_of

BITS, TRAINERS, WEIGHTS = 1024, 3, 200
SCALE = 2 * UPDATE_SCALE + ENTRY_SCALE
RANGE = Decimal(2)
WIDTHS = MomentWidths.fit(
    key_bits=BITS, parameters=4, trainers=TRAINERS, weights=WEIGHTS, weight_bits=6, residual_bits=3
)
SETS = WIDTHS.sets(TRAINERS, Start.PUBLIC)


class NoisyRound:
    """Errors in their slots, opened under three shares of noise."""

    def __init__(self, errors: list[int]) -> None:
        self.private = private_key(BITS)
        self.key = self.private.public_key
        self.context = ring_context(self.key, Purpose.METRIC)
        self.workshop = workshop_of(self.key, noise_form(WIDTHS, SETS, WEIGHTS, RANGE), self.context)
        self.own = {maker: self.workshop.make(maker, secret()) for maker in Maker}
        values = iter(errors)
        plain = [sum(WIDTHS.at(slot, next(values)) for slot in range(one.slots)) for one in SETS]
        self.metric = encrypted(self.private, plain)

    def opened(self, forged: dict[Maker, tuple], *, checked: bool) -> list[int]:
        shares = {
            m: Share(m, forged.get(m, own.share.ciphertexts), own.share.plaintexts)
            for m, own in self.own.items()
        }
        own = {maker: OwnShare(self.context, share, secret()) for maker, share in shares.items()}
        statement = statement_digest(self.key, self.metric)
        signed = {maker: commit(self.key, statement, one) for maker, one in own.items()}
        commitments = Commitments.collect(self.context, Maker.AGGREGATOR, signed)
        product = RingProduct.form(
            self.key,
            commitments,
            with_offsets(self.key, self.metric, SETS, WIDTHS),
            {maker: share.ciphertexts for maker, share in shares.items()},
        )
        digests = {}
        for maker in Maker:
            if checked:
                self.workshop.again(maker, shares[maker].ciphertexts, self.own[maker].seed.take())
            digests[maker.next] = product.digest_to_sign(own[maker.next], shares[maker])
        require_agreed(self.key, self.context, product.ciphertexts, digests)
        found = []
        for one, ciphertext in zip(SETS, product.ciphertexts, strict=True):
            *values, above = WIDTHS.values(one, int(self.private.decrypt(ciphertext)))
            assert above == 0
            found += values
        return found


SLOTS = sum(one.slots for one in SETS)


@given(st.integers(1, 1 << 40), st.decimals(Decimal("0.001"), Decimal(2), places=3))
@settings(max_examples=40)
def test_a_share_is_below_a_third_of_the_noise(weights: int, target_range: Decimal) -> None:
    bound = noise_bound(weights, target_range)
    exact = Fraction(target_range) ** 2 * weights * Fraction(2) ** (SCALE - 24) / 3
    assert exact - 1 < bound <= exact


def test_a_share_of_noise_is_never_nothing() -> None:
    assert noise_bound(1, Decimal("1e-60")) == 1


def test_noise_moves_errors_by_less_than_its_bound_and_by_little() -> None:
    """Against residuals of a quarter of the range, as numpy squares them: 10^-6 at most."""
    residuals = np.random.default_rng(5).uniform(-0.87, 0.87, (SLOTS, WEIGHTS))
    plain = np.einsum("ij,ij->i", residuals, residuals)
    errors = [int(Fraction(float(one)) * 2**SCALE) for one in plain]
    opened = NoisyRound(errors).opened({}, checked=True)
    moved = [after - before for after, before in zip(opened, errors, strict=True)]
    assert all(0 <= one < 3 * noise_bound(WEIGHTS, RANGE) for one in moved)
    assert len(set(moved)) == SLOTS
    assert min(moved) > noise_bound(WEIGHTS, RANGE) >> 16
    assert np.array([int(one) / 2**SCALE for one in opened]) == pytest.approx(plain, rel=1.1e-6)


@given(
    st.lists(
        st.integers(-(1 << WIDTHS.bound_bits - 2), 1 << WIDTHS.bound_bits - 2), min_size=SLOTS, max_size=SLOTS
    )
)
@settings(max_examples=3)
def test_no_value_leaves_its_slot(errors: list[int]) -> None:
    opened = NoisyRound(errors).opened({}, checked=True)
    for before, after in zip(errors, opened, strict=True):
        assert 0 <= after - before < 3 * noise_bound(WEIGHTS, RANGE)


@pytest.mark.parametrize("cheat", list(Maker))
def test_noise_that_moves_an_error_is_refused_and_moves_it_without_the_ring(cheat: Maker) -> None:
    """Whoever makes noise could make one trainer's error what it likes."""
    errors = [1 << (SCALE - 3)] * SLOTS
    ring = NoisyRound(errors)
    shift = WIDTHS.at(1, 1 << SCALE)
    honest = ring.own[cheat].share.ciphertexts
    forged = {cheat: (ring.key.add(honest[0], ring.key.lift(shift)), *honest[1:])}
    with pytest.raises(ProtocolViolation) as refusal:
        ring.opened(forged, checked=True)
    assert str(refusal.value) == f"bad_share: the {cheat.label}'s seed makes other ciphertexts"
    moved = ring.opened(forged, checked=False)[1] - errors[1]
    assert moved >= 1 << SCALE


@pytest.mark.parametrize("weight", [5, -7])
def test_noise_that_holds_a_weight_is_refused_and_shows_it_without_the_ring(weight: int) -> None:
    """The aggregator puts an encrypted weight into a slot's upper bits, where all digits are published."""
    ring = NoisyRound([0] * SLOTS)
    key, honest = ring.key, ring.own[Maker.AGGREGATOR].share.ciphertexts
    held = key.multiply(ring.private.encrypt(weight, STREAM), 1 << (SCALE + 2))
    forged = {Maker.AGGREGATOR: (key.add(honest[0], held), *honest[1:])}
    with pytest.raises(ProtocolViolation, match="bad_share: the aggregator's seed makes other ciphertexts"):
        ring.opened(forged, checked=True)
    assert ring.opened(forged, checked=False)[0] >> (SCALE + 2) == weight


def test_noise_wider_than_a_value_is_refused() -> None:
    with pytest.raises(
        WidthError, match=r"noise of \d+ bits on values of \d+; declare a smaller target range"
    ):
        noise_form(WIDTHS, SETS, WEIGHTS, Decimal(1 << 20))


def test_every_slot_of_every_set_has_its_noise() -> None:
    form = noise_form(WIDTHS, SETS, WEIGHTS, RANGE)
    assert [len(row) for row in form.bounds] == [one.slots for one in SETS]
    assert {bound for row in form.bounds for bound in row} == {noise_bound(WEIGHTS, RANGE)}
    assert form.slot_bits == WIDTHS.products.slot_bits
