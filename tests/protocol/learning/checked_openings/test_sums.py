"""Sums that must be small: against plain integers, and against vectors that only look small."""

from dataclasses import replace

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.opening import Opening
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.errors import MisuseError, ProtocolViolation, WidthError
from protocol.learning.checked_openings.sums import (
    MASK_BITS,
    VECTORS,
    SumWidths,
    draw_coefficients,
    open_sums,
    random_sums,
    vectors_out_of_range,
)
from tests.support.proofs import private_key
from tests.support.ring import CHECKERS, STREAM, Ring, encrypted

WIDTHS = SumWidths.fit(1024, 63)
LARGEST = (1 << WIDTHS.value_bits) // (2 << 20)
"""Of two values whose sums are in range for certain."""


def plain_sums(values, coefficients, widths, modulus):
    """The plaintexts, by their definition."""
    found = []
    for chunk in widths.layout.chunks(VECTORS):
        total = 0
        for slot, row in enumerate(coefficients[chunk]):
            value = sum(a * b for a, b in zip(row, values, strict=True)) + widths.layout.offset
            total += value << (widths.layout.slot_bits * slot)
        found.append(total % modulus)
    return found


def passes(values, coefficients, widths, modulus):
    """Whether a checker takes them, with all masks off."""
    return widths.in_range([int(one) for one in plain_sums(values, coefficients, widths, modulus)], 1)


@pytest.mark.parametrize(
    ("bits", "count", "plaintexts"), [(3072, 20, 1), (2048, 14, 2), (1024, 6, 4), (512, 2, 10)]
)
def test_slots_are_as_wide_as_the_protocol_says(bits: int, count: int, plaintexts: int) -> None:
    widths = SumWidths.fit(bits, 66)
    assert widths.layout.slot_bits == widths.value_bits + 62
    assert widths.layout.per_plaintext == min(count, VECTORS)
    assert widths.plaintexts == plaintexts
    assert (widths.layout.per_plaintext + 1) * widths.layout.slot_bits < bits
    assert [len(row) for row in widths.share_form(2).bounds].count(0) == 0
    assert sum(len(row) for row in widths.share_form(2).bounds) == 2 * VECTORS


def test_a_key_without_room_for_the_free_slot_is_refused() -> None:
    with pytest.raises(
        WidthError, match="need 324 bits, but the key has 324; use a longer key or smaller bounds"
    ):
        SumWidths.fit(324, 100)
    assert SumWidths.fit(325, 100).layout.per_plaintext == 1


@given(
    st.lists(st.integers(-(1 << 700), 1 << 700), min_size=1, max_size=3), st.binary(min_size=32, max_size=32)
)
@settings(max_examples=15)
def test_encrypted_sums_are_those_of_plain_integers(
    private_key: PrivateKey, values: list[int], seed: bytes
) -> None:
    key, widths = private_key.public_key, SumWidths.fit(512, 63)
    coefficients = draw_coefficients(Randomness(seed), len(values))
    sums = random_sums(key, encrypted(private_key, values), coefficients, widths)
    assert [private_key.decrypt(one) for one in sums] == plain_sums(values, coefficients, widths, key.n)


def test_coefficients_are_twenty_rows_of_twenty_bits() -> None:
    rows = draw_coefficients(Randomness(bytes(32)), 50)
    flat = [one for row in rows for one in row]
    assert (len(rows), len(flat), len(set(flat))) == (20, 1000, len(set(flat)))
    assert 1 << 19 < max(flat) < 1 << 20
    assert len(set(flat)) > 990


@given(st.lists(st.integers(-LARGEST, LARGEST), min_size=2, max_size=2), st.binary(min_size=32, max_size=32))
@settings(max_examples=30)
def test_every_small_vector_passes_and_no_digit_carries(values: list[int], seed: bytes) -> None:
    coefficients = draw_coefficients(Randomness(seed), 2)
    plain = plain_sums(values, coefficients, WIDTHS, 1 << 1023)
    assert WIDTHS.in_range(plain, 0)
    widest = (1 << (WIDTHS.value_bits + MASK_BITS)) - 1
    for masks in (1, 3):
        full = [
            one + sum(masks * widest << (WIDTHS.layout.slot_bits * slot) for slot in range(c.stop - c.start))
            for one, c in zip(plain, WIDTHS.layout.chunks(VECTORS), strict=True)
        ]
        assert WIDTHS.in_range(full, masks)
        assert not WIDTHS.in_range(full, masks - 1)


def test_the_ends_of_the_range() -> None:
    limit = 2 * WIDTHS.layout.offset + (1 << (WIDTHS.value_bits + MASK_BITS))
    counts = [chunk.stop - chunk.start for chunk in WIDTHS.layout.chunks(VECTORS)]
    for place, count in enumerate(counts):
        for slot in range(count):
            for value, good in ((limit - 1, True), (limit, False), (-1, False)):
                plain = [0] * len(counts)
                plain[place] = value << (WIDTHS.layout.slot_bits * slot)
                assert WIDTHS.in_range(plain, 1) == good
        above = [0] * len(counts)
        above[place] = 1 << (WIDTHS.layout.slot_bits * count)
        assert not WIDTHS.in_range(above, 1)


def test_an_honest_vector_passes_the_whole_ring() -> None:
    for values in ((LARGEST, LARGEST), (-LARGEST, -LARGEST), (-1, 5)):
        private = private_key(1024)
        ring = Ring(private, [encrypted(private, values)], WIDTHS)
        assert ring.verdicts() == [[], []]


def strange_vectors(modulus):
    """What is no vector of small integers, however it packs."""
    slot = WIDTHS.layout.slot_bits
    half, third = int(gmpy2.invert(2, modulus)), int(gmpy2.invert(3, modulus))
    down = int(gmpy2.invert(1 << slot, modulus))
    yield "a slot up and its neighbour down", (5 << slot, -5)
    yield "a slot up", (1 << slot, 0)
    yield "twenty bits more", (1 << (slot + 20), 0)
    yield "a slot down", (down, 0)
    yield "a half", (half, 0)
    yield "a third and a half", (third, half)
    yield "two large ones whose sum is nothing", (1 << 400, -(1 << 400))
    yield "anything", (STREAM.bits(1000), STREAM.bits(1000))
    yield "four times the accepted bound", (1 << (WIDTHS.value_bits + 22), 0)
    yield "the same, negative", (0, -1 << (WIDTHS.value_bits + 22))


def test_what_is_no_vector_of_small_integers_fails_under_every_seed() -> None:
    modulus = int(private_key(1024).public_key.n)
    for name, values in strange_vectors(modulus):
        for trial in range(20):
            coefficients = draw_coefficients(Randomness(trial.to_bytes(32, "big")), 2)
            assert not passes(values, coefficients, WIDTHS, modulus), name


def test_fixed_packing_lets_pass_what_random_vectors_do_not() -> None:
    """D_1 = a·2^slot and D_2 = −a cancel where D_j stands in slot j, whatever masks are on them."""
    private = private_key(1024)
    a, slot = 5 << 40, WIDTHS.layout.slot_bits
    vector = encrypted(private, (a << slot, -a))
    fixed = [[0, 0] for _ in range(VECTORS)]
    fixed[0], fixed[1] = [1, 0], [0, 1]
    unchecked = Ring(private, [vector], WIDTHS, coefficients=fixed)
    assert unchecked.verdicts() == [[], []]
    assert Ring(private, [vector], WIDTHS).verdicts() == [[0], [0]]


def test_vectors_of_zeros_and_ones_in_narrow_slots_let_half_pass() -> None:
    """D_1 = a·2^slot moves all sums up one slot, where the uppermost coefficient is 0: half the time."""
    narrow = SumWidths.fit(1024, 43)
    narrow = replace(narrow, layout=replace(narrow.layout, slot_bits=43 + MASK_BITS + 2))
    modulus, values = 1 << 1023, (5 << narrow.layout.slot_bits, 0)
    single = [Randomness(trial.to_bytes(32, "big")) for trial in range(400)]
    top = narrow.plaintexts
    good = sum(
        passes(values, [[stream.bits(1), 0] for _ in range(VECTORS)], narrow, modulus) for stream in single
    )
    assert 0.7 * 400 / 2**top < good < 1.3 * 400 / 2**top
    streams = [Randomness(trial.to_bytes(32, "big")) for trial in range(400)]
    wide = (5 << WIDTHS.layout.slot_bits, 0)
    assert not any(passes(wide, draw_coefficients(one, 2), WIDTHS, modulus) for one in streams)


def test_the_key_holder_shows_nothing_of_what_is_out_of_range() -> None:
    private = private_key(1024)
    ring = Ring(private, [encrypted(private, (1 << 900, 0)), encrypted(private, (1, 1))], WIDTHS)
    assert ring.answers[0] is None
    assert ring.answers[1] is not None
    assert ring.verdicts() == [[0], [0]]


def test_false_openings_are_refused_and_convince_without_the_check() -> None:
    """The key's holder shows an honest-looking plaintext of a vector that is not: only the root tells."""
    private = private_key(1024)
    honest = Ring(private, [encrypted(private, (1, 1))], WIDTHS)
    wrong = Ring(private, [encrypted(private, (1 << 900, 0))], WIDTHS)
    maker = Maker.FIRST_CHECKER
    known = (wrong.own[maker].share, wrong.shown[maker])
    masks = [a + b for a, b in zip(known[0].plaintexts, known[1].plaintexts, strict=True)]
    lies = tuple(Opening(gmpy2.mpz(one), gmpy2.mpz(1)) for one in masks)
    assert WIDTHS.in_range([int(one.plaintext) - m for one, m in zip(lies, masks, strict=True)], 1)
    for answers, text in (
        ([lies], "bad_opening: an opening is not what its ciphertext holds"),
        ([honest.answers[0]], "bad_opening: an opening is not what its ciphertext holds"),
        ([lies[:-1]], "bad_opening: 3 openings of each vector are expected"),
        ([], "bad_opening: 0 answers; 1 expected"),
    ):
        with pytest.raises(ProtocolViolation) as refusal:
            vectors_out_of_range(wrong.key, WIDTHS, wrong.product.ciphertexts, answers, known, STREAM)
        assert str(refusal.value) == text


def test_one_mask_alone_is_not_what_a_checker_knows() -> None:
    private = private_key(1024)
    ring = Ring(private, [encrypted(private, (1, 1))], WIDTHS)
    share = ring.own[Maker.FIRST_CHECKER].share
    with pytest.raises(MisuseError, match="two masks: its own, and that of the maker before it"):
        vectors_out_of_range(ring.key, WIDTHS, ring.product.ciphertexts, ring.answers, (share, share), STREAM)


def test_what_a_checker_does_not_know_hides_the_sums() -> None:
    """The third mask is 2^40 times as wide as any sum: with the two known ones off, nothing of it is left."""
    private = private_key(1024)
    ring = Ring(private, [encrypted(private, (LARGEST, -LARGEST))], WIDTHS)
    for maker in CHECKERS:
        third = ({*Maker} - {maker, ring.shown[maker].maker}).pop()
        bounds = {bound for row in ring.workshop.form.bounds for bound in row}
        assert bounds == {1 << (WIDTHS.value_bits + MASK_BITS)}
        answer = ring.answers[0]
        assert answer is not None
        known = zip(ring.own[maker].share.plaintexts, ring.shown[maker].plaintexts, strict=True)
        rest = [int(one.plaintext) - sum(masks) for one, masks in zip(answer, known, strict=True)]
        plain = plain_sums((LARGEST, -LARGEST), ring.coefficients, WIDTHS, ring.key.n)
        assert rest == [a + b for a, b in zip(plain, ring.own[third].share.plaintexts, strict=True)]


def test_the_key_holder_opens_what_it_is_given_vector_by_vector() -> None:
    private = private_key(1024)
    ring = Ring(private, [encrypted(private, (one, -one)) for one in (1, 7, 9)], WIDTHS)
    assert len(ring.answers) == 3
    assert ring.answers == open_sums(private, WIDTHS, ring.product.ciphertexts)
    assert ring.verdicts() == [[], []]
