"""The key's holder opens what all three signed, and they sign what they have checked."""

import pytest

from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import RingProduct, product_digest, require_agreed
from protocol.crypto.ring.shares import ShareForm
from protocol.errors import MisuseError, ProtocolViolation
from tests.protocol.crypto.ring.test_commitments import Committing
from tests.support.ring import STREAM, ring_context, secret

BEFORE = {maker.next: maker for maker in Maker}


class Producing(Committing):
    """The same makers, who open an encryption of 5."""

    def __init__(self, key: PublicKey) -> None:
        super().__init__(key)
        self.shares = {maker: own.share.ciphertexts for maker, own in self.own.items()}

    def product(self) -> RingProduct:
        return RingProduct.form(self.key, self.collect(), [self.key.lift(5)], self.shares)

    def signed_digests(self) -> dict[Maker, bytes]:
        product = self.product()
        return {m: product.digest_to_sign(self.own[m], self.own[BEFORE[m]].share) for m in Maker}


def test_what_is_opened_is_the_number_and_three_shares(private_key: PrivateKey, key: PublicKey) -> None:
    ring = Producing(key)
    total = 5 + sum(own.share.plaintexts[0] for own in ring.own.values())
    assert private_key.decrypt(ring.product().ciphertexts[0]) == total


def test_three_signatures_of_one_product_open_it(key: PublicKey) -> None:
    ring = Producing(key)
    require_agreed(key, ring.context, ring.product().ciphertexts, ring.signed_digests())


@pytest.mark.parametrize("maker", Maker)
def test_a_product_that_one_has_not_signed_is_not_opened(key: PublicKey, maker: Maker) -> None:
    """Missing, another's product, this product for another attempt or purpose: none is a signature of it."""
    ring, other = Producing(key), Producing(key)
    ciphertexts, text = (
        ring.product().ciphertexts,
        f"not_agreed: the {maker.label} has not signed this product",
    )
    for wrong in (
        None,
        other.signed_digests()[maker],
        product_digest(key, ring_context(key, attempt=2), ciphertexts),
        product_digest(key, ring_context(key, Purpose.RANGES), ciphertexts),
    ):
        signed = ring.signed_digests()
        if wrong is None:
            del signed[maker]
        else:
            signed[maker] = wrong
        with pytest.raises(ProtocolViolation) as refusal:
            require_agreed(key, ring.context, ciphertexts, signed)
        assert str(refusal.value) == text


def test_the_aggregator_alone_cannot_change_what_is_opened(key: PublicKey) -> None:
    """It asks for a weight in the product's place: its own signature is not enough; three would be."""
    ring = Producing(key)
    weight = (key.lift(77),)
    signed = ring.signed_digests()
    signed[Maker.AGGREGATOR] = product_digest(key, ring.context, weight)
    with pytest.raises(ProtocolViolation, match="not_agreed: the first checker has not signed this product"):
        require_agreed(key, ring.context, weight, signed)
    require_agreed(key, ring.context, weight, dict.fromkeys(Maker, signed[Maker.AGGREGATOR]))


@pytest.mark.parametrize("maker", Maker)
def test_a_share_is_in_the_product_as_it_was_committed_to(key: PublicKey, maker: Maker) -> None:
    ring, other = Producing(key), Producing(key)
    ring.shares[maker] = other.shares[maker]
    with pytest.raises(ProtocolViolation) as refusal:
        ring.product()
    assert str(refusal.value) == f"bad_share: the {maker.label}'s is not the one committed to"
    for wrong, text in (((), "0 .*'s ciphertexts; 1 expected"), ((0,), "0 is no unit of its group")):
        ring.shares[maker] = wrong  # type: ignore[assignment]
        with pytest.raises(ProtocolViolation, match=text):
            ring.product()
    del ring.shares[maker]
    with pytest.raises(ProtocolViolation, match=f"no list of {maker.label}'s ciphertexts"):
        ring.product()


@pytest.mark.parametrize("maker", Maker)
def test_nobody_signs_without_the_share_before_its_own(key: PublicKey, maker: Maker) -> None:
    ring, other = Producing(key), Producing(key)
    product = ring.product()
    for shown in (ring.own[maker].share, ring.own[maker.next].share):
        with pytest.raises(MisuseError, match="signed when the share before one's own has been made again"):
            product.digest_to_sign(ring.own[maker], shown)
    before = BEFORE[maker]
    with pytest.raises(MisuseError, match=f"the {before.label}'s share is not the one in this product"):
        product.digest_to_sign(ring.own[maker], other.own[before].share)
    with pytest.raises(MisuseError, match=f"the {maker.label}'s share is not the one in this product"):
        product.digest_to_sign(other.own[maker], ring.own[before].share)


def test_products_of_different_lengths_do_not_mix(key: PublicKey) -> None:
    ring = Producing(key)
    longer = ring.workshop.form.bounds * 2
    wide = type(ring.workshop)(key, ring.context, ShareForm(60, longer), ring.workshop.bases)
    ring.shares[Maker.AGGREGATOR] = wide.make(Maker.AGGREGATOR, secret()).share.ciphertexts
    with pytest.raises(ProtocolViolation, match="2 aggregator's ciphertexts; 1 expected"):
        ring.product()


def test_a_product_shows_nothing_that_is_secret(key: PublicKey) -> None:
    ring = Producing(key)
    text = repr(ring.product())
    assert not any(str(own.share.plaintexts[0]) in text for own in ring.own.values())
    assert STREAM.bytes(4).hex() not in text
