"""How large the numbers in a proof may be: from the size of an honest witness, challenge and mask follow.

A witness x, |x| ≤ B, answers a challenge e < 2^128 with z = mask + e·x, the mask uniform below B·2^192: 64
bits wider than e·x, which hides it up to 2^-64. A verifier takes −B·2^128 < z < B·2^192 + B·2^128, so a
prover may have a witness some 2^64 times larger than it should be, and twice as large for each bit that it
grinds out of the hash; nothing that a proof shows may count on less.
"""

from collections.abc import Sequence
from typing import NamedTuple

from protocol.crypto.commitment_group import CommitmentGroup
from protocol.crypto.elements import is_integer, require_count
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation

CHALLENGE_BITS = 128
SLACK_BITS = 64


class Bound(NamedTuple):
    """Of one number of a witness: |x| ≤ limit, and x ≥ 0 unless `signed`."""

    limit: int
    signed: bool = True

    def draw_mask(self, randomness: Randomness) -> int:
        """Uniform below limit·2^192."""
        return randomness.below(self.limit << (CHALLENGE_BITS + SLACK_BITS))

    @property
    def lowest(self) -> int:
        """The least response that is accepted."""
        return 1 - (self.limit << CHALLENGE_BITS) if self.signed else 0

    @property
    def highest(self) -> int:
        """The greatest response that is accepted."""
        return (self.limit << (CHALLENGE_BITS + SLACK_BITS)) + (self.limit << CHALLENGE_BITS) - 1

    @property
    def length(self) -> int:
        """Bytes of a response on the wire: it takes as many whatever it is."""
        return self.highest.bit_length() // 8 + 1


class WitnessBounds(NamedTuple):
    """Of a witness: the committed values, the commitment's κ, and the exponent of each blinding.

    `group` is the one that they are committed to in.
    """

    values: tuple[Bound, ...]
    hiding: Bound
    exponent: Bound
    group: CommitmentGroup

    @classmethod
    def of(
        cls, limits: Sequence[int], group: CommitmentGroup, exponent_bits: int, *, folded: int = 0
    ) -> "WitnessBounds":
        """Of values within `limits`, or of the sum of so many `folded` vectors under 128-bit coefficients.

        `exponent_bits` is the length of a blinding's exponent.
        """
        factor = folded << CHALLENGE_BITS if folded else 1
        return cls(
            tuple(Bound(limit * factor) for limit in limits),
            Bound(factor << group.exponent_bits, signed=False),
            Bound(factor << exponent_bits, signed=False),
            group,
        )

    def all(self, sets: int) -> tuple[Bound, ...]:
        """In the order of a proof's responses, for so many sets of inputs."""
        return (*self.values, self.hiding, *(self.exponent,) * sets)


def require_responses(responses: tuple[object, ...], bounds: Sequence[Bound], code: str) -> None:
    """Raise ProtocolViolation(code) for another number of responses, or one that is not within its bound."""
    require_count(responses, len(bounds), code, "response")
    for index, (response, bound) in enumerate(zip(responses, bounds, strict=True)):
        if not is_integer(response) or not bound.lowest <= response <= bound.highest:  # type: ignore[operator]
            raise ProtocolViolation(code, f"response {index} is no integer within its bound")
