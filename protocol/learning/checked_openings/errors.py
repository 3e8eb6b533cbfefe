"""Errors that are said to be implausible, opened to a ring's makers: those that were named, and nothing else.

Every slot of the product is masked by three shares, of which each maker knows two. In the slots of named
trainers the third is noise (`noise`), wider by as much as the error is said to be too large; so a maker reads
no more digits of it than of a recorded one. In all others it is uniform below 2^(b + 29), b the bits of a
value: of these a maker tells any two apart with an advantage below 2⁻²⁹.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.crypto.ring.shares import Share, ShareForm
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
    known: tuple[Share, Share],
    named: Sequence[int],
    trainers: int,
) -> SeenErrors:
    """What is left of opened plaintexts without the two known shares, in the slots that are not masked."""
    start, own = None, {}
    masks = zip(known[0].plaintexts, known[1].plaintexts, strict=True)
    for one, plaintext, (first, second) in zip(sets, plaintexts, masks, strict=True):
        values = widths.values(one, plaintext - first - second)
        for member in one.members:
            if member.vector == trainers:
                start = values[member.own]
            elif member.vector in named:
                own[member.vector] = values[member.own]
    return SeenErrors(start, own)


def _mask(widths: MomentWidths) -> int:
    return 1 << (widths.bound_bits + _MASK_BITS)
