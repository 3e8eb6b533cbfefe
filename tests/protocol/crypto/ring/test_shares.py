"""A share is what its seed makes: no wider, nothing else, once, and unseen."""

import copy
import pickle
from dataclasses import replace

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import draw_base
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.shares import ShareForm, ShareWorkshop, share_digest
from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError, ProtocolViolation, WidthError
from tests.support.ring import PARTIES, STREAM, ring_context, secret, workshop_of

FORM = ShareForm(60, ((1 << 40, 3, 1 << 60), (1,)))


@pytest.fixture(scope="module")
def workshop(key: PublicKey) -> ShareWorkshop:
    return workshop_of(key, FORM)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(Maker))
@settings(max_examples=25)
def test_who_is_shown_the_seed_makes_the_same_share(
    workshop: ShareWorkshop, private_key: PrivateKey, seed: bytes, maker: Maker
) -> None:
    own = workshop.make(maker, OneUse(seed))
    again = workshop.again(maker, own.share.ciphertexts, own.seed.take())
    assert again == own.share
    assert [private_key.decrypt(one) for one in again.ciphertexts] == list(again.plaintexts)


@given(st.lists(st.lists(st.integers(1, 1 << 50), min_size=1, max_size=5), min_size=1, max_size=4))
@settings(max_examples=30)
def test_every_value_is_below_its_bound(bounds: list[list[int]]) -> None:
    form = ShareForm(50, tuple(map(tuple, bounds)))
    for plaintext, row in zip(form.draw(STREAM), bounds, strict=True):
        digits = [plaintext >> (50 * slot) & ((1 << 50) - 1) for slot in range(len(row))]
        assert plaintext >> (50 * len(row)) == 0
        assert all(digit < bound for digit, bound in zip(digits, row, strict=True))


def test_values_fill_their_bound() -> None:
    drawn = [ShareForm(60, ((3,),)).draw(STREAM)[0] for _ in range(100)]
    assert set(drawn) == {0, 1, 2}


def test_other_ciphertexts_than_the_seed_s_are_refused(
    workshop: ShareWorkshop, private_key: PrivateKey, key: PublicKey
) -> None:
    """Wider values, another value, other randomness, another order: the seed makes none of them."""
    for maker in Maker:
        own = workshop.make(maker, secret())
        first, second = own.share.ciphertexts
        seed = own.seed.take()
        unit = gmpy2.powmod(STREAM.unit(key.n), key.n, key.n_squared)
        for others in (
            (key.add(first, key.lift(1 << 60)), second),
            (key.add(first, key.lift(1)), second),
            (key.add(first, unit), second),
            (second, first),
            (first,),
            (),
        ):
            with pytest.raises(ProtocolViolation) as refusal:
                workshop.again(maker, others, seed)
            assert str(refusal.value) == f"bad_share: the {maker.label}'s seed makes other ciphertexts"
            assert workshop.at_fault(maker, others, seed) is maker
        assert workshop.at_fault(maker, own.share.ciphertexts, seed) is maker.next


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33), None, 7, "x" * 32, bytearray(32)])
def test_what_is_no_seed_is_refused(workshop: ShareWorkshop, seed: object) -> None:
    own = workshop.make(Maker.FIRST_CHECKER, secret())
    with pytest.raises(ProtocolViolation) as refusal:
        workshop.again(Maker.FIRST_CHECKER, own.share.ciphertexts, seed)
    assert str(refusal.value) == "bad_share: the first checker's seed is not 32 bytes"
    with pytest.raises(MisuseError, match="a share's seed must have 32 bytes"):
        workshop.make(Maker.FIRST_CHECKER, OneUse(seed))  # type: ignore[arg-type]


def test_a_seed_makes_one_share_and_is_shown_once(workshop: ShareWorkshop) -> None:
    seed = secret()
    own = workshop.make(Maker.AGGREGATOR, seed)
    with pytest.raises(MisuseError, match="this secret was used already; draw a fresh one for each use"):
        workshop.make(Maker.AGGREGATOR, seed)
    own.seed.take()
    with pytest.raises(MisuseError, match="used already"):
        own.seed.take()


def test_a_seed_makes_other_masks_for_every_maker_ring_and_purpose(key: PublicKey) -> None:
    """Two values under one mask would show their difference, even to who was given a seed twice."""
    content, base = bytes(32), draw_base(key, STREAM)
    context = ring_context(key)
    identity = context.identity
    others = [
        context,
        context._replace(purpose=Purpose.RANGES),
        context._replace(occasion=Occasion(4, 0, 1)),
        context._replace(occasion=Occasion(3, 1, 1)),
        context._replace(occasion=Occasion(3, 0, 2)),
        context._replace(parties=(PARTIES[0], PARTIES[2], PARTIES[1])),
        context._replace(identity=identity._replace(training=8)),
        context._replace(identity=identity._replace(chain_id=1)),
    ]
    masks = {
        ShareWorkshop(key, one, FORM, (base, base)).make(maker, OneUse(content)).share.plaintexts[0]
        for one in others
        for maker in Maker
    }
    assert len(masks) == len(others) * len(Maker)


def test_the_aggregator_s_randomness_is_no_power_of_a_checker_s_base(key: PublicKey) -> None:
    """Only its share changes nothing when the bases do: it is blinded with uniform n-th powers."""
    seeds = [STREAM.bytes(32) for _ in Maker]
    others = (draw_base(key, STREAM), draw_base(key, STREAM))
    made = [
        [one.make(maker, OneUse(seed)).share for maker, seed in zip(Maker, seeds, strict=True)]
        for one in (workshop_of(key, FORM), replace(workshop_of(key, FORM), bases=others))
    ]
    assert [a.plaintexts == b.plaintexts for a, b in zip(*made, strict=True)] == [True] * 3
    assert [a.ciphertexts == b.ciphertexts for a, b in zip(*made, strict=True)] == [True, False, False]


def test_nothing_of_a_share_is_seen(workshop: ShareWorkshop) -> None:
    content = STREAM.bytes(32)
    own = workshop.make(Maker.SECOND_CHECKER, OneUse(content))
    for text in (repr(own), str(own), f"{own.share}", repr(vars(workshop))):
        assert content.hex() not in text
        assert repr(content) not in text
        assert not any(str(one) in text for one in own.share.plaintexts if one)
    for attempt in (copy.deepcopy, pickle.dumps):
        with pytest.raises(MisuseError, match="neither copied nor pickled"):
            attempt(own)


@pytest.mark.parametrize("wrong", [0, "n", "n2", True, None, "7"])
def test_a_ciphertext_that_is_no_unit_is_refused(
    key: PublicKey, workshop: ShareWorkshop, wrong: object
) -> None:
    names = {"n": key.n, "n2": key.n_squared}
    value = names.get(wrong, wrong) if isinstance(wrong, str) else wrong
    good = workshop.make(Maker.AGGREGATOR, secret()).share.ciphertexts
    with pytest.raises(ProtocolViolation) as refusal:
        share_digest(key, Maker.AGGREGATOR, (good[0], value), 2)
    assert str(refusal.value) == "bad_share: aggregator's ciphertext 1 is no unit of its group"
    for others, text in (
        (good[:1], "1 aggregator's ciphertexts; 2 expected"),
        (list(good), "no list of aggregator's ciphertexts"),
        (None, "no list of aggregator's ciphertexts"),
    ):
        with pytest.raises(ProtocolViolation, match=text):
            share_digest(key, Maker.AGGREGATOR, others, 2)


def test_forms_that_do_not_fit_are_refused(key: PublicKey) -> None:
    with pytest.raises(WidthError, match="a share of 62 bits in a slot of 60; make slots wider"):
        workshop_of(key, ShareForm(60, ((1 << 61,),)))
    with pytest.raises(
        WidthError, match="9 slots of 60 bits in a plaintext of 512; take fewer slots or a longer"
    ):
        workshop_of(key, ShareForm(60, ((1,) * 9,)))


def test_a_ring_of_two_or_of_another_key_is_refused(key: PublicKey, wide_key: PublicKey) -> None:
    context = ring_context(key)
    twice = context._replace(parties=(PARTIES[0], PARTIES[1], PARTIES[0]))
    with pytest.raises(MisuseError, match="a party is in the ring twice; its three makers must be different"):
        workshop_of(key, FORM, twice)
    with pytest.raises(MisuseError, match="round is -1; it must be an integer from 0"):
        workshop_of(key, FORM, context._replace(occasion=Occasion(-1, 0)))
    with pytest.raises(MisuseError, match="a key with the id 0x"):
        workshop_of(wide_key, FORM, context)


def test_the_ring_closes() -> None:
    assert [maker.next for maker in Maker] == [Maker.FIRST_CHECKER, Maker.SECOND_CHECKER, Maker.AGGREGATOR]
    assert [maker.is_checker for maker in Maker] == [False, True, True]


@pytest.mark.parametrize("maker", Maker)
def test_a_kept_share_is_the_one_that_was_made(workshop: ShareWorkshop, maker: Maker) -> None:
    own = workshop.make(maker, secret())
    assert workshop.kept(maker, own.share.ciphertexts, own.seed.take()) == own.share
