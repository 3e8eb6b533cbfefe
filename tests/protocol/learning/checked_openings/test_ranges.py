"""Whose weights are out of range: the one whose are, and nobody whom somebody wants to frame."""

import pytest
from gmpy2 import mpz

from protocol.crypto.paillier import PrivateKey
from protocol.crypto.ring.context import Maker, Purpose
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.ranges import range_sums, range_widths
from protocol.learning.checked_openings.sums import (
    DECIDED_BITS,
    MASK_BITS,
    VECTORS,
    draw_coefficients,
    random_sums,
)
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from tests.support.proofs import private_key
from tests.support.ring import CHECKERS, STREAM, Ring, encrypted

P, BITS, WEIGHT_BITS = 2, 512, 6
BOUND = 1 << (UPDATE_SCALE + WEIGHT_BITS)
WIDTHS = range_widths(BITS, P, WEIGHT_BITS)
UNIT = 1 << (WIDTHS.value_bits + MASK_BITS)
"""What a mask is below."""


def ring_over(private: PrivateKey, local: list[list[int]], **others) -> Ring:
    return Ring(private, [encrypted(private, one) for one in local], WIDTHS, Purpose.RANGES, **others)


def slots(values: list[int]) -> list[int]:
    """A plaintext for each chunk, of one number in each slot."""
    bits = WIDTHS.layout.slot_bits
    return [
        sum(value << (bits * slot) for slot, value in enumerate(values[chunk]))
        for chunk in WIDTHS.layout.chunks(VECTORS)
    ]


def test_widths_hold_the_largest_weight() -> None:
    widths = range_widths(3072, 11, 24)
    assert widths.value_bits == 20 + UPDATE_SCALE + 24 + 4
    assert 1 << widths.value_bits >= 11 * (1 << (UPDATE_SCALE + 24 + 20))


def test_honest_trainers_are_in_range_up_to_the_bound() -> None:
    ring = ring_over(private_key(BITS), [[BOUND, BOUND], [-BOUND, -BOUND], [0, 1]])
    assert ring.verdicts() == [[], []]


def test_all_trainers_have_the_same_coefficients() -> None:
    private, local = private_key(BITS), [[1, 2], [3, 4]]
    key, rows = private.public_key, draw_coefficients(STREAM, P)
    updates = [encrypted(private, one) for one in local]
    assert range_sums(key, updates, rows, WIDTHS) == [
        one for update in updates for one in random_sums(key, update, rows, WIDTHS)
    ]


@pytest.mark.parametrize(
    ("wrong", "trainer"),
    [(BOUND << 63, 0), (-BOUND << 63, 2), (1 << (WIDTHS.value_bits + DECIDED_BITS), 1)],
    ids=["carries", "borrows", "least"],
)
def test_the_trainer_out_of_range_is_named_and_nobody_else(wrong: int, trainer: int) -> None:
    """2^63 times the bound passes a trainer's proof and carries under the mask of the moment exchange."""
    local = [[BOUND - 1, 1 - BOUND] for _ in range(3)]
    local[trainer][1] = wrong
    assert ring_over(private_key(BITS), local).verdicts() == [[trainer], [trainer]]


def over_wide(ring: Ring) -> tuple[mpz, ...]:
    """A mask eight times as wide as it may be, honest otherwise."""
    wide = slots([7 * UNIT] * VECTORS) * len(ring.vectors)
    return tuple(ring.private.encrypt(one, STREAM) for one in wide)


@pytest.mark.parametrize("cheat", list(Maker))
def test_an_over_wide_mask_frames_a_trainer_only_without_the_ring(cheat: Maker) -> None:
    private, local = private_key(BITS), [[5, -5], [BOUND, 0]]
    ring = ring_over(private, local)
    ring.forged[cheat] = over_wide(ring)
    text = f"bad_share: the {cheat.label}'s seed makes other ciphertexts"
    assert ring.refused() == text
    with pytest.raises(ProtocolViolation, match=text):
        _ = ring.answers
    free = ring_over(private, local, unchecked=frozenset({cheat.next}))
    free.forged[cheat] = over_wide(free)
    assert free.answers == [None, None]
    assert [free.out_of_range(checker) for checker in CHECKERS] == [[0, 1], [0, 1]]


def reading(ring: Ring, weight: mpz) -> tuple[mpz, ...]:
    """In place of a mask, Enc(weight)·2^k in the first slot: 1.0 moves it as much as a mask."""
    key, shift = ring.key, WIDTHS.value_bits + MASK_BITS - MODEL_SCALE
    first, *others = encrypted(ring.private, [0] * WIDTHS.plaintexts * len(ring.vectors))
    return (key.add(key.multiply(weight, 1 << shift), first), *others)


@pytest.mark.parametrize("weight", [0, 1])
def test_a_mask_that_holds_a_weight_reads_it_only_without_the_ring(weight: int) -> None:
    """The first checker knows two masks; what is left, above the third, is the weight's first bit."""
    private = private_key(BITS)
    secret = private.encrypt(weight << MODEL_SCALE, STREAM)
    ring = ring_over(private, [[5, -5]])
    ring.forged[Maker.FIRST_CHECKER] = reading(ring, secret)
    assert ring.refused() == "bad_share: the first checker's seed makes other ciphertexts"
    with pytest.raises(ProtocolViolation, match="bad_share"):
        _ = ring.answers
    free = ring_over(private, [[5, -5]], unchecked=frozenset({Maker.SECOND_CHECKER}))
    free.forged[Maker.FIRST_CHECKER] = reading(free, secret)
    answer = free.answers[0]
    assert answer is not None, "the key's holder sees nothing wrong"
    known = free.shown[Maker.FIRST_CHECKER].plaintexts[0]
    digit = (int(answer[0].plaintext) - known) & ((1 << WIDTHS.layout.slot_bits) - 1)
    assert (digit >= UNIT) == bool(weight)


def test_whose_fault_a_refused_share_is() -> None:
    """The seed is shown to all: it makes the share that was committed to, or it does not."""
    ring = ring_over(private_key(BITS), [[5, -5]])
    for maker in Maker:
        share, seed = ring.own[maker].share, ring.seeds[maker]
        assert ring.workshop.at_fault(maker, share.ciphertexts, seed) is maker.next
        assert ring.workshop.at_fault(maker, over_wide(ring), seed) is maker
        for other in (bytes(32), b"short", None, 5):
            assert ring.workshop.at_fault(maker, share.ciphertexts, other) is maker
