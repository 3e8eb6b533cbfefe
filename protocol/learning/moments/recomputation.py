"""What the aggregator does with masks, done again by everybody it shows them to.

Masks come out in the open, and validators hold no key: they can make the whole request again from the signed
updates, and the next model from the signed answer. So neither is taken on anybody's word, and who is found
wrong has signed what shows it.
"""

from collections.abc import Sequence

import gmpy2

from protocol.crypto.cipher import Ciphertext, Opening, PublicKey, verify_openings
from protocol.crypto.elements import are_units
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentAnswer, MomentMask, moment_request
from protocol.learning.moments.widths import MomentWidths, columns
from protocol.learning.scales import COEFFICIENT_SCALE


def require_request(
    key: PublicKey,
    vectors: Sequence[Sequence[Ciphertext]],
    widths: MomentWidths,
    shown: MomentMask,
    request: Sequence[Ciphertext],
) -> None:
    """Check that a request is that of the vectors under the mask that is shown, byte for byte.

    With another mask everybody would find the products wrong, and blame the key's holder for them. Raises
    ProtocolViolation: "bad_mask" for one that nobody draws, "other_request" for another request.
    """
    shown.require(key, sum(len(vector) for vector in vectors), widths.request)
    if moment_request(key, vectors, widths, shown) != list(request):
        raise ProtocolViolation(
            "other_request", "the request is not that of the signed updates under the masks that are shown"
        )


def is_subtraction(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    model: Sequence[Ciphertext],
    roots: Sequence[object],
    randomness: Randomness,
) -> bool:
    """Whether a next model is the answer's, the masks taken out and nothing but blinding by the roots added.

    `masks` are the digits of a mask that passed `require_request`; `roots` are shown by who subtracted
    (`ShortExponentBlinder.roots`). Each model_j/(y_j·(1 + n)^−⌊Σ_t μ_tj/(T·2^g)⌋) must be an n-th power.
    """
    if not len(model) == len(roots) == len(answer.quotients):
        return False
    if not are_units(roots, key.n):
        return False
    divisor = trainers << COEFFICIENT_SCALE
    quotients = [total // divisor for total in columns(masks[:trainers])]
    ratios = [
        one * gmpy2.invert(masked, key.n_squared) * key.lift(quotient) % key.n_squared
        for one, masked, quotient in zip(model, answer.quotients, quotients, strict=True)
    ]
    openings = [Opening(gmpy2.mpz(0), root) for root in roots]
    return verify_openings(key, ratios, openings, randomness)
