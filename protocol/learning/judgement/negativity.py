"""By how much an own error is negative, and which member's part of it a ring's makers see to be.

θ̃ᵀĜθ̃ is nowhere negative for a matrix of anybody's rows (`gram`). So where members' parts add up to less than
nothing, one of them has committed to a matrix that is no sum of squares, whatever the trainer's model is. The
key's holder says *how far* below nothing the error is: the largest multiple of 8, k, from 16 on, such that it
is more than three shares of 2^k units and a tolerance below for each member. Then some part is three shares
and a tolerance below. So each maker, which sees every part under one share more, finds it, and so does who
reads of it later and takes off none; and of others' parts no more digits are seen than such a share leaves.

That the key's holder says so of what is not negative is seen only when the parts are open, so the least k is
what bounds how much of an innocent member's part may be seen. What is less far below names nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.crypto.ring.context import Maker

STEP = 8
"""Between two depths."""

MINIMUM_DEPTH = 16
"""Shares 2^16 times as wide as noise are each Σw/768 squared target ranges: some 8 bits of it are seen.

With 0 a part would be as precise as a recorded sum, and of one member alone.
"""

MAXIMUM_DEPTH = 48
"""Shares 2^48 times as wide as an error's noise are wider than any error."""


@dataclass(frozen=True, slots=True)
class Depths:
    """How deep an error of so many members may be said to be.

    `unit` is what a share of noise is below, and `tolerance` what a part may be below nothing by carries of
    the slots beside it; integers at the products' scale.
    """

    members: int
    unit: int
    tolerance: int

    def share(self, depth: int) -> int:
        """What a share is below where a part is opened."""
        return self.unit << depth

    def depth_of(self, value: int) -> int | None:
        """The largest that an opened own error is below; None where it is too little to tell whose it is."""
        depths = range(MAXIMUM_DEPTH, MINIMUM_DEPTH - 1, -STEP)
        return next((one for one in depths if -value > self._floor(one)), None)

    def negative(self, parts: Sequence[int]) -> list[int]:
        """The places of parts that are negative, whatever share they are seen under."""
        return [place for place, part in enumerate(parts) if part < -self.tolerance]

    def is_deeper(self, parts: Sequence[int], depth: int, noise: int) -> bool:
        """Whether parts, each seen with what is nowhere negative, are of an error deeper than was said.

        `noise` is what the namer has seen the error with, at most. Whoever says less than is true would have
        more digits of the members' parts.
        """
        return depth < MAXIMUM_DEPTH and -sum(parts) > self._floor(depth + STEP) + noise

    def _floor(self, depth: int) -> int:
        return self.members * (len(Maker) * self.share(depth) + self.tolerance)
