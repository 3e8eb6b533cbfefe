"""What makers of a ring see of a product: the errors that were named, and of all others nothing."""

import pytest

from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import Share, ShareForm
from protocol.errors import MisuseError
from protocol.learning.checked_openings.errors import (
    errors_form,
    parts_form,
    place_of,
    seen_errors,
    seen_parts,
    share_bound,
    without_known,
)
from protocol.learning.moments.widths import MomentWidths, Start

TRAINERS, NOISE, POWERS = 4, 1 << 200, {1: 8, 3: 24}
WIDTHS = MomentWidths.fit(
    key_bits=2048, parameters=4, trainers=TRAINERS, weights=200, weight_bits=6, residual_bits=3
)
BOUND = 1 << WIDTHS.bound_bits


def form_of(start: Start) -> ShareForm:
    return errors_form(WIDTHS, WIDTHS.sets(TRAINERS, start), NOISE, POWERS, TRAINERS)


def opened(start: Start, values: list[int], seed: bytes) -> tuple[list[int], dict[Maker, Share]]:
    """Plaintexts under three shares, and these."""
    form, stream = form_of(start), Randomness(seed)
    shares = {maker: Share(maker, (), form.draw(stream)) for maker in Maker}
    left = iter(values)
    plaintexts = []
    for place, one in enumerate(WIDTHS.sets(TRAINERS, start)):
        packed = WIDTHS.offset(one) + sum(WIDTHS.at(slot, next(left)) for slot in range(one.slots))
        plaintexts.append(packed + sum(share.plaintexts[place] for share in shares.values()))
    return plaintexts, shares


@pytest.mark.parametrize("start", Start)
def test_a_maker_sees_named_errors_and_a_secret_start_under_one_share(start):
    sets = WIDTHS.sets(TRAINERS, start)
    count = sum(one.slots for one in sets)
    values = [(place + 1) * 10**40 for place in range(count)]
    plaintexts, shares = opened(start, values, b"\x05" * 32)
    flat = values[1:] if start is not Start.UNMEASURED else values
    for maker in Maker:
        known = shares[maker], shares[maker.next]
        seen = seen_errors(WIDTHS, sets, plaintexts, known, list(POWERS), TRAINERS)
        assert seen.own.keys() == POWERS.keys()
        for place, power in POWERS.items():
            assert 0 <= seen.own[place] - flat[2 * place] < share_bound(WIDTHS, NOISE, power)
        if start is Start.ENCRYPTED:
            assert seen.start is not None
            assert 0 <= seen.start - values[0] < NOISE
        else:
            assert seen.start is None


@pytest.mark.parametrize("start", Start)
def test_every_other_slot_is_masked_2_to_the_29_times_as_wide_as_its_value(start):
    sets = WIDTHS.sets(TRAINERS, start)
    narrow = {place: share_bound(WIDTHS, NOISE, power) for place, power in POWERS.items()}
    for one, bounds in zip(sets, form_of(start).bounds, strict=True):
        shown = {member.own: narrow[member.vector] for member in one.members if member.vector in narrow}
        shown |= {member.own: NOISE for member in one.members if member.vector == TRAINERS}
        for slot, bound in enumerate(bounds):
            assert bound == shown.get(slot, BOUND << 29)


def test_values_and_three_masks_stay_in_their_slot():
    for sign in (1, -1):
        sets = WIDTHS.sets(TRAINERS, Start.ENCRYPTED)
        values = [sign * (BOUND - 1)] * sum(one.slots for one in sets)
        plaintexts, shares = opened(Start.ENCRYPTED, values, b"\x06" * 32)
        total = sum(share.plaintexts[0] for share in shares.values())
        assert WIDTHS.values(sets[0], plaintexts[0] - total) == [*values[: sets[0].slots], 0]
        assert plaintexts[0] >> (WIDTHS.products.slot_bits * sets[0].slots) == 0


def test_a_share_is_as_wide_as_the_error_is_said_to_be_large_and_never_wider_than_a_mask():
    assert share_bound(WIDTHS, NOISE, 8) == NOISE
    assert share_bound(WIDTHS, NOISE, 24) == NOISE << 16
    assert share_bound(WIDTHS, BOUND, 48) == BOUND << 29


# ---- an error that is said to be negative ----

VECTORS = [(start, vector) for start in Start for vector in range(TRAINERS)]
STARTS = [(Start.PUBLIC, None), (Start.ENCRYPTED, TRAINERS)]


@pytest.mark.parametrize(("start", "vector"), [*VECTORS, *STARTS])
def test_of_each_part_its_slot_alone_is_seen(start, vector):
    """Of three members, under the one share that a maker does not know."""
    sets, members = WIDTHS.sets(TRAINERS, start), 3
    form = parts_form(WIDTHS, sets, vector, NOISE, members)
    place, slot = place_of(sets, vector)
    narrow = [
        (row, one)
        for row, bounds in enumerate(form.bounds)
        for one, bound in enumerate(bounds)
        if bound == NOISE
    ]
    assert narrow == [(member * len(sets) + place, slot) for member in range(members)]
    assert {bound for bounds in form.bounds for bound in bounds} == {NOISE, BOUND << 29}
    stream = Randomness(b"\x07" * 32)
    shares = {maker: Share(maker, (), form.draw(stream)) for maker in Maker}
    values = [
        [(-1) ** member * (10**40 + one) for one in range(row.slots)]
        for member in range(members)
        for row in sets
    ]
    packed = [
        WIDTHS.offset(sets[one % len(sets)]) + sum(WIDTHS.at(at, value) for at, value in enumerate(row))
        for one, row in enumerate(values)
    ]
    opened = [one + sum(share.plaintexts[row] for share in shares.values()) for row, one in enumerate(packed)]
    true = [values[member * len(sets) + place][slot] for member in range(members)]
    for maker in Maker:
        left = without_known(opened, (shares[maker], shares[maker.next]))
        seen = seen_parts(WIDTHS, sets, left, vector)
        assert all(0 <= one - part < NOISE for one, part in zip(seen, true, strict=True))
    nothing_known = seen_parts(WIDTHS, sets, without_known(opened, None), vector)
    assert all(0 <= one - part < 3 * NOISE for one, part in zip(nothing_known, true, strict=True))


def test_a_start_that_is_not_measured_has_no_place():
    with pytest.raises(MisuseError, match="none of"):
        place_of(WIDTHS.sets(TRAINERS, Start.UNMEASURED), None)
