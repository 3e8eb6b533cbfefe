"""Errors that are said to be implausible, opened to a ring's makers: those that were named, and nothing else.

Of one that is said to be negative each member's part is opened in its place, and nothing else of any part.

Every slot of the product is masked by three shares, of which each maker knows two. In the slots of named
trainers the third is noise (`noise`), wider by as much as the error is said to be too large; so a maker reads
no more digits of it than of a recorded one. In all others it is uniform below 2^(b + 29), b the bits of a
value: of these a maker tells any two apart with an advantage below 2⁻²⁹.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.crypto.ring.shares import Share, ShareForm
from protocol.errors import MisuseError
from protocol.learning.judgement.implausibility import STEP
from protocol.learning.moments.widths import MomentWidths, SlotSet

_MASK_BITS = 29
"""Of 33 spare ones in a slot: value and three masks stay below its end."""


@dataclass(frozen=True, slots=True)
class SeenErrors:
    """What a maker sees under the one share that it does not know.

    The error of a start that is secret, and those of named trainers by their place.
    """

    start: int | None = field(repr=False)
    own: Mapping[int, int] = field(repr=False)


def share_bound(widths: MomentWidths, noise: int, power: int) -> int:
    """What a share is below in the slot of an error that is said to be so large."""
    return min(noise << (power - STEP), _mask(widths))


def errors_form(
    widths: MomentWidths, sets: Sequence[SlotSet], noise: int, powers: Mapping[int, int], trainers: int
) -> ShareForm:
    """A plaintext for each slot set, with noise on what is seen and masks on the rest.

    `noise` is `noise_bound` of the attempt; `powers` are those of named trainers by place. A start that is
    encrypted stands behind the trainers, and is seen: limits follow from it. Of a public one they do not.
    """
    rows = []
    for one in sets:
        bounds = [_mask(widths)] * one.slots
        for member in one.members:
            if member.vector == trainers:
                bounds[member.own] = noise
            elif member.vector in powers:
                bounds[member.own] = share_bound(widths, noise, powers[member.vector])
        rows.append(tuple(bounds))
    return ShareForm(widths.products.slot_bits, tuple(rows))


def seen_errors(
    widths: MomentWidths,
    sets: Sequence[SlotSet],
    plaintexts: Sequence[int],
    known: tuple[Share, Share] | None,
    named: Sequence[int],
    trainers: int,
) -> SeenErrors:
    """What is left of opened plaintexts without the two known shares, in the slots that are not masked.

    Who knows none, as a reader of a transcript, sees it under all three.
    """
    start, own = None, {}
    for one, plaintext in zip(sets, without_known(plaintexts, known), strict=True):
        values = widths.values(one, plaintext)
        for member in one.members:
            if member.vector == trainers:
                start = values[member.own]
            elif member.vector in named:
                own[member.vector] = values[member.own]
    return SeenErrors(start, own)


# ---- an error that is said to be negative ----


def place_of(sets: Sequence[SlotSet], vector: int | None) -> tuple[int, int]:
    """The slot set that holds a vector's own products, and the slot; None: a public start's."""
    for place, one in enumerate(sets):
        if vector is None and one.public_start:
            return place, 0
        for member in one.members:
            if member.vector == vector:
                return place, member.own
    raise MisuseError(f"vector {vector} is in none of {len(sets)} slot sets")


def parts_form(
    widths: MomentWidths, sets: Sequence[SlotSet], vector: int | None, share: int, members: int
) -> ShareForm:
    """Plaintexts of one member's slot sets after the other's: narrow where its part stands, masks elsewhere.

    `share` is what a share is below in the slot of `vector` (`place_of`); never more than a mask.
    """
    seen = place_of(sets, vector)
    rows = [
        tuple(
            min(share, _mask(widths)) if (place, slot) == seen else _mask(widths) for slot in range(one.slots)
        )
        for place, one in enumerate(sets)
    ]
    return ShareForm(widths.products.slot_bits, tuple(rows) * members)


def seen_parts(
    widths: MomentWidths, sets: Sequence[SlotSet], plaintexts: Sequence[int], vector: int | None
) -> list[int]:
    """Each member's part of the vector's own error, under the shares that are still in these plaintexts."""
    place, slot = place_of(sets, vector)
    return [widths.values(sets[place], plaintext)[slot] for plaintext in plaintexts[place :: len(sets)]]


def without_known(plaintexts: Sequence[int], known: tuple[Share, Share] | None) -> list[int]:
    """Opened plaintexts without the two shares that a maker knows; as they are to who knows none."""
    if known is None:
        return list(plaintexts)
    masks = zip(known[0].plaintexts, known[1].plaintexts, strict=True)
    return [one - first - second for one, (first, second) in zip(plaintexts, masks, strict=True)]


def _mask(widths: MomentWidths) -> int:
    return 1 << (widths.bound_bits + _MASK_BITS)
