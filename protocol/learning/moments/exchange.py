"""Masked models to the key's holder, encrypted products of what it read back.

All weights of all vectors go packed under one mask ρ for each plaintext. The key's holder reads digits
u = θ + μ, uniform noise to it, and returns fresh encryptions of

- w_ij = Σ_t [2^k(t)·e_ij·u_ti·u_tj + 2^k′(t)·e_ij/2·(u_ti·U_j + u_tj·U_i)] for i ≤ j but the last, e_ij = 2
  off the diagonal and 1 on it, u_td = −2^s, U = Σ_t u_t over the trainers, and 2^k short for the slot k; of
  several targets the sum over all (i, j) of a place, equal entries of a Gram matrix (`widths.places`);
- E_ti = −(2·2^k(t)·u_ti + 2^k′(t)·U_i + Σ_t′ 2^k′(t′)·u_t′i) for unmasking (`products`), and with several
  sets also B_i = −Σ_t 2^k′(t)·u_ti;
- y_j = ⌊U_j/(T·2^g)⌋, the next model under its mask;
- for ADMM (`learning.consensus`) r_tj = ⌊u_tj/2^g⌋, each trainer's model at the scale of the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.crypto.cipher import (
    UPDATES_WINDOW,
    Ciphertext,
    Mask,
    PowerTables,
    PrivateKey,
    PublicKey,
    SlotLayout,
    pack_blinded,
    tables_if_kept,
    unpack,
)
from protocol.crypto.elements import is_integer, require_count, require_units
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.hiding import without
from protocol.learning.moments.widths import Member, MomentWidths, Place, SlotSet, columns, places
from protocol.learning.scales import CARRY_BITS, COEFFICIENT_SCALE, UPDATE_SCALE

_BAD_MASK = "bad_mask"
MINUS_ONE = -1 << UPDATE_SCALE
"""The last entry of every vector, at its scale."""


@dataclass(frozen=True, slots=True)
class MomentMask:
    """ρ and the blinding's root for each plaintext: secret from the key's holder, shown to others."""

    mask: Mask
    roots: tuple[Ciphertext, ...] = field(repr=False)

    @classmethod
    def draw(cls, key: PublicKey, values: int, layout: SlotLayout, randomness: Randomness) -> "MomentMask":
        """Uniform among the masks under which no value of either sign can carry, borrow or wrap.

        Every digit is 2^(slot−64) away from both ends of its slot, and ρ a slot's worth away from n: another
        is drawn with probability below slots·2^−63.
        """
        chunks = layout.chunks(values)
        rhos = tuple(_rho(key, chunk.stop - chunk.start, layout, randomness) for chunk in chunks)
        return cls(Mask(rhos), tuple(randomness.unit(key.n) for _ in rhos))

    def require(self, key: PublicKey, values: int, layout: SlotLayout) -> None:
        """Check a mask that is shown as the one behind a request, besides claiming the request's roots.

        Raises ProtocolViolation("bad_mask") for one that `draw` cannot give: ρ + n makes the same request as
        ρ but has other digits, and under a digit at its slot's end honest weights carry, so that products
        would be wrong through no fault of the key's holder.
        """
        chunks = layout.chunks(values)
        require_units(self.roots, len(chunks), key.n, _BAD_MASK, "root")
        require_count(self.mask.rhos, len(chunks), _BAD_MASK, "mask")
        for index, (rho, chunk) in enumerate(zip(self.mask.rhos, chunks, strict=True)):
            if not is_integer(rho) or not _fits(key, rho, chunk.stop - chunk.start, layout):
                raise ProtocolViolation(_BAD_MASK, f"mask {index} leaves weights no room in their slots")

    def digits(self, vectors: int, widths: MomentWidths) -> list[list[int]]:
        """μ: p for each vector."""
        return read_digits(self.mask.rhos, vectors, widths)


class SetAnswer(NamedTuple):
    """w_ij in the order of `places`; the E_ti of each member; the B_i, or nothing where there is one set."""

    products: list[Ciphertext]
    singles: list[list[Ciphertext]]
    rest: list[Ciphertext]

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "products", "singles", "rest")


class SetPlaintexts(NamedTuple):
    """What the ciphertexts of a `SetAnswer` hold, before it is taken modulo n."""

    products: list[int]
    singles: list[list[int]]
    rest: list[int]

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "products", "singles", "rest")


class MomentAnswer(NamedTuple):
    """What the key's holder returns: an answer for each set, the masked next model, and r_tj by trainers."""

    sets: list[SetAnswer]
    quotients: list[Ciphertext]
    rescaled: Sequence[Sequence[Ciphertext]] = ()

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "sets", "quotients", "rescaled")

    def flat(self) -> list[Ciphertext]:
        """All ciphertexts, in the order that `read_answer` takes."""
        found: list[Ciphertext] = []
        for one in self.sets:
            found += [*one.products, *(c for singles in one.singles for c in singles), *one.rest]
        return [*found, *self.quotients, *(c for row in self.rescaled for c in row)]


def moment_request(
    key: PublicKey, vectors: Sequence[Sequence[Ciphertext]], widths: MomentWidths, mask: MomentMask
) -> list[Ciphertext]:
    """The packed, masked and blinded weights of all vectors.

    Who is shown the mask holds them against it up to a factor −1 each (`recomputation.request_claims`).
    """
    flat = [weight for vector in vectors for weight in vector]
    return pack_blinded(key, flat, widths.request, mask.mask, mask.roots)


def moment_answer(
    private_key: PrivateKey,
    request: Sequence[Ciphertext],
    trainers: int,
    sets: Sequence[SlotSet],
    widths: MomentWidths,
    randomness: Randomness,
    *,
    rescales: bool = False,
) -> MomentAnswer:
    """The key holder's part, from checked ciphertexts, `request_length` of them.

    `sets` are those of `widths.sets`, which it works out itself; `rescales` asks for the r_tj.
    """
    plaintexts = [int(one) for one in private_key.decrypt_all(request)]
    digits = read_digits(plaintexts, vector_count(sets), widths)
    totals = columns(digits[:trainers])
    quotients = [total // (trainers << COEFFICIENT_SCALE) for total in totals]
    answers = [
        encrypt_set(private_key, one, randomness) for one in answer_plaintexts(digits, trainers, sets, widths)
    ]
    encrypted = private_key.encrypt_all(quotients, randomness)
    shorter = [[digit >> COEFFICIENT_SCALE for digit in row] for row in digits[: trainers if rescales else 0]]
    return MomentAnswer(answers, encrypted, [private_key.encrypt_all(row, randomness) for row in shorter])


def answer_plaintexts(
    digits: Sequence[Sequence[int]], trainers: int, sets: Sequence[SlotSet], widths: MomentWidths
) -> list[SetPlaintexts]:
    """What the digits of a request, p for each vector, make of every set: for who answers and who judges."""
    totals = columns(digits[:trainers])
    return [_set_plain(one, digits, totals, trainers, widths, several=len(sets) > 1) for one in sets]


def encrypt_set(private_key: PrivateKey, plain: SetPlaintexts, randomness: Randomness) -> SetAnswer:
    """Fresh encryptions of a set's numbers."""

    def fresh(values: Sequence[int]) -> list[Ciphertext]:
        return private_key.encrypt_all(values, randomness)

    return SetAnswer(fresh(plain.products), [fresh(one) for one in plain.singles], fresh(plain.rest))


def read_digits(plaintexts: Sequence[int], vectors: int, widths: MomentWidths) -> list[list[int]]:
    """The digits of a request's plaintexts or masks: p for each vector."""
    p = widths.parameters
    flat = unpack(plaintexts, vectors * p, widths.request)
    return [flat[start : start + p] for start in range(0, len(flat), p)]


def request_length(sets: Sequence[SlotSet], widths: MomentWidths) -> int:
    """Ciphertexts in a request."""
    return widths.request.plaintexts(vector_count(sets) * widths.parameters)


def answer_length(sets: Sequence[SlotSet], parameters: int, targets: int = 1, rescaled: int = 0) -> int:
    """Ciphertexts in an answer; `rescaled` are the trainers whose models it has at the next one's scale."""
    rest = parameters if len(sets) > 1 else 0
    products = len(places(parameters, targets)) - 1
    return parameters * (1 + rescaled) + sum(products + len(one.members) * parameters + rest for one in sets)


def read_answer(
    flat: Sequence[Ciphertext],
    sets: Sequence[SlotSet],
    parameters: int,
    targets: int = 1,
    rescaled: int = 0,
) -> MomentAnswer:
    """The answer from checked ciphertexts; raises ProtocolViolation("wrong_count") for too few or many."""
    expected = answer_length(sets, parameters, targets, rescaled)
    products = len(places(parameters, targets)) - 1
    if len(flat) != expected:
        raise ProtocolViolation("wrong_count", f"{len(flat)} ciphertexts; {expected} expected")
    rest = iter(flat)

    def take(count: int) -> list[Ciphertext]:
        return [next(rest) for _ in range(count)]

    found = [
        SetAnswer(
            take(products),
            [take(parameters) for _ in one.members],
            take(parameters if len(sets) > 1 else 0),
        )
        for one in sets
    ]
    return MomentAnswer(found, take(parameters), [take(parameters) for _ in range(rescaled)])


def vector_count(sets: Sequence[SlotSet]) -> int:
    """Vectors in a request: trainers', and an encrypted start's."""
    return sum(len(one.members) for one in sets)


def vector_tables(key: PublicKey, vectors: Sequence[Sequence[Ciphertext]]) -> PowerTables | None:
    """Of all vectors' weights, for who multiplies them several times; nothing where they are too many."""
    flat = [weight for vector in vectors for weight in vector]
    return tables_if_kept(flat, key.n_squared, UPDATES_WINDOW)


def product_in_slots(
    widths: MomentWidths,
    members: Sequence[Member],
    vectors: Sequence[Sequence[int]],
    totals: Sequence[int],
    place: Place,
) -> int:
    """Σ_t [2^k(t)·e_ij·x_ti·x_tj + 2^k′(t)·e_ij/2·(x_ti·X_j + x_tj·X_i)] for vectors x with the sums X.

    Over all (i, j) of the place.
    """
    factor, found = factor_of(place), 0
    for vector, own, cross in members:
        x = vectors[vector]
        found += widths.at(own, factor * sum(x[i] * x[j] for i, j in place))
        if cross is not None:
            crossed = sum(x[i] * totals[j] + x[j] * totals[i] for i, j in place)
            found += widths.at(cross, factor * crossed // 2)
    return found


def factor_of(place: Place) -> int:
    """e_ij: how often an entry of a symmetric matrix stands there."""
    i, j = place[0]
    return 1 if i == j else 2


def cross_part(
    widths: MomentWidths, members: Sequence[Member], vectors: Sequence[Sequence[int]], i: int
) -> int:
    """Σ_t 2^k′(t)·x_ti."""
    return sum(widths.at(one.cross, vectors[one.vector][i]) for one in members if one.cross is not None)


def _set_plain(
    one: SlotSet,
    digits: Sequence[Sequence[int]],
    totals: list[int],
    trainers: int,
    widths: MomentWidths,
    *,
    several: bool,
) -> SetPlaintexts:
    p = widths.parameters
    vectors = [[*row, MINUS_ONE] for row in digits]
    whole = [*totals, trainers * MINUS_ONE]
    products = [product_in_slots(widths, one.members, vectors, whole, place) for place in widths.places[:-1]]
    parts = [cross_part(widths, one.members, digits, i) for i in range(p)]
    singles = [
        [-_single(widths, member, digits[member.vector][i], totals[i], parts[i]) for i in range(p)]
        for member in one.members
    ]
    return SetPlaintexts(products, singles, [-part for part in parts] if several else [])


def _single(widths: MomentWidths, member: Member, digit: int, total: int, part: int) -> int:
    own = widths.at(member.own, 2 * digit)
    return own if member.cross is None else own + widths.at(member.cross, total) + part


def _rho(key: PublicKey, count: int, layout: SlotLayout, randomness: Randomness) -> int:
    while True:
        rho = randomness.below(int(key.n))
        if _fits(key, rho, count, layout):
            return rho


def _fits(key: PublicKey, rho: int, count: int, layout: SlotLayout) -> bool:
    margin, whole = 1 << (layout.slot_bits - CARRY_BITS), 1 << layout.slot_bits
    if not 0 <= rho < key.n - (1 << (layout.slot_bits * count)):
        return False
    digits = (rho >> (layout.slot_bits * index) & (whole - 1) for index in range(count))
    return all(margin <= digit < whole - margin for digit in digits)
