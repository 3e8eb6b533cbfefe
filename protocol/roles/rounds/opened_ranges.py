"""Which trainers are out of range, by what the buyer has opened of a ring over their updates."""

from collections.abc import Sequence

from gmpy2 import mpz

from protocol.crypto.cipher import Ciphertext, Opening, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.shares import Share
from protocol.learning.checked_openings.sums import BAD_OPENING, SumWidths, vectors_out_of_range
from protocol.messages.rounds import RingOpening
from protocol.roles.engine.refusals import require


def out_of_range(
    key: PublicKey,
    widths: SumWidths,
    product: Sequence[Ciphertext],
    body: RingOpening,
    known: tuple[Share, Share] | None,
    randomness: Randomness,
) -> list[int]:
    """The places of trainers in seat order, by a maker that knows two of the three masks, or by anybody.

    Unlike a next model's, sums of a range are always opened: a word that they are outside names nobody.
    Raises ProtocolViolation("bad_opening") where one is missing or is not what its ciphertext holds.
    """
    answers = [
        tuple(Opening(mpz(one.plaintext), mpz(one.root)) for one in vector.openings)
        for vector in body.vectors
    ]
    require(all(answers), BAD_OPENING, "a vector is not opened")
    return vectors_out_of_range(key, widths, product, answers, known, randomness)
