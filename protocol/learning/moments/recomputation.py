"""What the aggregator does with masks, held against what it started from by everybody it shows them to.

Masks come out in the open, and validators hold no key: they can make the whole request again from the signed
updates, and the next model from the signed answer. So neither is taken on anybody's word, and who is found
wrong has signed what shows it. Nobody multiplies them again one by one: `protocol.crypto.rooted` checks all
that is claimed of a round in one equation.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import (
    Ciphertext,
    PowerTables,
    PublicKey,
    RootedClaim,
    RootedProduct,
    packed_products,
)
from protocol.crypto.elements import are_units
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentAnswer, MomentMask
from protocol.learning.moments.widths import MomentWidths, columns
from protocol.learning.scales import COEFFICIENT_SCALE


def request_claims(
    key: PublicKey,
    vectors: Sequence[Sequence[Ciphertext]],
    widths: MomentWidths,
    shown: MomentMask,
    request: Sequence[Ciphertext],
    *,
    tables: PowerTables | None = None,
) -> list[RootedClaim]:
    """That a request of checked ciphertexts is that of the vectors under the mask that is shown.

    With another mask everybody would find the products wrong, and blame the key's holder for them. `tables`
    are of all weights, where a process keeps them. Raises
    ProtocolViolation: "bad_mask" for one that nobody draws, "other_request" for more or fewer plaintexts.
    """
    flat = [weight for vector in vectors for weight in vector]
    shown.require(key, len(flat), widths.request)
    made = packed_products(flat, widths.request, shown.mask, shown.roots, tables)
    if len(request) != len(made):
        raise ProtocolViolation("other_request", f"{len(request)} plaintexts; {len(made)} expected")
    return [RootedClaim(one, product) for one, product in zip(request, made, strict=True)]


def subtraction_claims(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    model: Sequence[Ciphertext],
    roots: Sequence[Ciphertext],
) -> list[RootedClaim]:
    """That a next model is the answer's, the masks taken out and nothing but blinding by the roots added.

    `masks` are the digits of a mask that passed `MomentMask.require`; `roots` are shown by who subtracted
    (`ShortExponentBlinder.roots`): model_j is y_j·(1 + n)^−⌊Σ_t μ_tj/(T·2^g)⌋·r_j^n. Raises
    ProtocolViolation("wrong_subtraction") for another number of weights or roots, or a root that is none.
    """
    if not len(model) == len(roots) == len(answer.quotients):
        raise ProtocolViolation("wrong_subtraction", f"{len(roots)} roots of {len(model)} weights")
    if not are_units(roots, key.n):
        raise ProtocolViolation("wrong_subtraction", "a root that is no unit")
    divisor = trainers << COEFFICIENT_SCALE
    quotients = [total // divisor for total in columns(masks[:trainers])]
    return [
        RootedClaim(one, RootedProduct([masked], [1], -quotient, root))
        for one, masked, quotient, root in zip(model, answer.quotients, quotients, roots, strict=True)
    ]
