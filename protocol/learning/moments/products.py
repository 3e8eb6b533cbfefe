"""The encrypted products P_ij of the models' weights, out of the key holder's answer and the masks.

For every slot set and i ≤ j, exactly modulo n,
P_ij = w_ij·Π_t E_ti^(μ_tj)·E_tj^(μ_ti)·B_i^(R_j)·B_j^(R_i)·(1+n)^(what the masks alone make),
the factors of E and B once for i = j; R sums the masks of trainers that the set does not hold. What stands
beside the last entry, −1, needs no E; the product of the last entries is public. With any matrix Ĝ,
Π P_ij^(Ĝ_ij) holds θ̃_tᵀĜθ̃_t in the slot k(t) of each model and θ̃_tᵀĜS in k′(t), S = Σ_t θ̃_t.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, PublicKey, ShortExponentBlinder, shared_products
from protocol.crypto.proofs.relation import InputSet
from protocol.crypto.randomness import Randomness
from protocol.learning.moments.exchange import MINUS_ONE, MomentAnswer, SetAnswer, product_in_slots
from protocol.learning.moments.widths import MomentWidths, SlotSet, columns, pairs
from protocol.learning.scales import COEFFICIENT_SCALE

Row = dict[int, int]


def products(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    sets: Sequence[SlotSet],
    widths: MomentWidths,
    start: Sequence[int] = (),
) -> tuple[InputSet, ...]:
    """P_ij for each slot set, in the order of `pairs`, the last one in clear.

    `masks` are μ, p for each vector; `start` the integers of a public start model at the updates' scale,
    where it is measured.
    """
    return tuple(
        _products_of(key, one, found, masks, trainers, widths, start)
        for one, found in zip(sets, answer.sets, strict=True)
    )


def next_model(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    blinder: ShortExponentBlinder,
    randomness: Randomness,
) -> list[Ciphertext]:
    """x̃′, the mean of the local models to within one unit of its scale, blinded."""
    divisor = trainers << COEFFICIENT_SCALE
    quotients = [total // divisor for total in columns(masks[:trainers])]
    pairs_ = zip(answer.quotients, quotients, strict=True)
    return blinder.blind([key.add(c, key.lift(-quotient)) for c, quotient in pairs_], randomness)


def _products_of(
    key: PublicKey,
    one: SlotSet,
    answer: SetAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    widths: MomentWidths,
    start: Sequence[int],
) -> InputSet:
    p = widths.parameters
    places = pairs(p + 1)
    bases = [c for singles in answer.singles for c in singles] + answer.rest
    rows = unmasking_exponents(one, masks, trainers, p, with_rest=bool(answer.rest))
    unmasked = iter(shared_products(bases, rows, key.n_squared))
    plain = [plain_part(one, masks, trainers, widths, start, place) for place in places]
    found = [
        key.add(w, key.lift(constant), next(unmasked) if j < p else Ciphertext(1))
        for w, constant, (_, j) in zip(answer.products, plain[:-1], places[:-1], strict=True)
    ]
    return InputSet(key, tuple(found), plain[-1])


def unmasking_exponents(
    one: SlotSet, masks: Sequence[Sequence[int]], trainers: int, parameters: int, *, with_rest: bool
) -> list[Row]:
    """For each i ≤ j below p the exponents of E (p for each member), then of B, by place."""
    held = {member.vector for member in one.members}
    outside = [masks[t] for t in range(trainers) if t not in held]
    rest = columns(outside) if outside else [0] * parameters
    factors = [masks[member.vector] for member in one.members] + ([rest] if with_rest else [])
    found: list[Row] = []
    for i, j in pairs(parameters):
        row = {block * parameters + i: mu[j] for block, mu in enumerate(factors)}
        if i < j:
            row |= {block * parameters + j: mu[i] for block, mu in enumerate(factors)}
        found.append(row)
    return found


def plain_part(
    one: SlotSet,
    masks: Sequence[Sequence[int]],
    trainers: int,
    widths: MomentWidths,
    start: Sequence[int],
    place: tuple[int, int],
) -> int:
    """What is known of P_ij: the masks' own products, those of −1 with the masks, and a public start's."""
    i, j = place
    p = widths.parameters
    if j < p:
        found = product_in_slots(widths, one.members, masks, columns(masks[:trainers]), place)
    elif i < p:
        negated = [[*row, -MINUS_ONE] for row in masks]
        whole = [*columns(masks[:trainers]), -trainers * MINUS_ONE]
        found = product_in_slots(widths, one.members, negated, whole, place)
    else:
        last = [[MINUS_ONE]] * (trainers + 1)
        found = product_in_slots(widths, one.members, last, [trainers * MINUS_ONE], (0, 0))
    if one.public_start:
        model = [*start, MINUS_ONE]
        found += (1 if i == j else 2) * model[i] * model[j]
    return found
