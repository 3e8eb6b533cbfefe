"""Many values in one plaintext, under a mask over the whole of it.

Each value gets a slot, offset to be non-negative. One uniform element ρ of Z_n masks the plaintext; its
digits in base 2^slot are the slots' masks. Masks sized for plausible values would fail against a model far
out of range; a uniform ρ hides whatever the size. For honest values 64 bits stay free in a slot, so a carry
from one slot into the next, or a wrap at n, happens with probability 2⁻⁶⁴ and is ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gmpy2 import mpz

from protocol.crypto.native.batch import public_powers
from protocol.crypto.native.in_use import kernel_for_public
from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import PowerTables
from protocol.crypto.randomness import Randomness
from protocol.crypto.rooted import RootedProduct
from protocol.errors import MisuseError, WidthError


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """Slots of `slot_bits` bits, `per_plaintext` to a plaintext, values offset by `offset`."""

    slot_bits: int
    offset: int
    per_plaintext: int

    @classmethod
    def fit(cls, key_bits: int, slot_bits: int, offset: int, spare_bits: int) -> "SlotLayout":
        """As many slots as a plaintext of the key holds with `spare_bits` free on top.

        Raises WidthError when not one fits.
        """
        per_plaintext = (key_bits - spare_bits) // slot_bits
        if per_plaintext < 1:
            raise WidthError(
                f"one value needs {slot_bits} bits and {spare_bits} spare ones, but the key has {key_bits}; "
                "use a longer key or smaller bounds"
            )
        return cls(slot_bits, offset, per_plaintext)

    def plaintexts(self, count: int) -> int:
        """How many plaintexts `count` values take."""
        return -(-count // self.per_plaintext)

    def chunks(self, count: int) -> list[slice]:
        """Which values share a plaintext."""
        return [slice(i, min(i + self.per_plaintext, count)) for i in range(0, count, self.per_plaintext)]


@dataclass(frozen=True, slots=True)
class Mask:
    """One uniform ρ per packed plaintext, hidden from repr."""

    rhos: tuple[int, ...] = field(repr=False)

    @classmethod
    def draw(cls, key: PublicKey, plaintexts: int, randomness: Randomness) -> "Mask":
        """A mask for so many plaintexts."""
        return cls(tuple(randomness.below(int(key.n)) for _ in range(plaintexts)))

    def digits(self, count: int, layout: SlotLayout) -> list[int]:
        """What the masking added to each of `count` values: ρ's digit and the offset."""
        return [digit + layout.offset for digit in unpack(self.rhos, count, layout)]


def pack(key: PublicKey, ciphertexts: Sequence[mpz], layout: SlotLayout) -> list[mpz]:
    """The packed ciphertexts of the values plus the offset, the first value in the lowest slot; unblinded."""
    modulus = key.n_squared
    groups = [ciphertexts[chunk] for chunk in layout.chunks(len(ciphertexts))]
    offsets = (key.lift(pack_plain([layout.offset] * len(members), layout)) for members in groups)
    shifted = _shifted(groups, layout.slot_bits, modulus)
    return [one * offset % modulus for one, offset in zip(shifted, offsets, strict=True)]


def _shifted(groups: Sequence[Sequence[mpz]], shift: int, modulus: mpz) -> list[mpz]:
    """Π c_i^(2^(shift·i)) of each group: from the last member on, all groups together that have one there."""
    found = [mpz(1)] * len(groups)
    for place in range(max(map(len, groups), default=0) - 1, -1, -1):
        here = [index for index, members in enumerate(groups) if place < len(members)]
        powers = public_powers([found[index] for index in here], 1 << shift, modulus)
        for index, power in zip(here, powers, strict=True):
            found[index] = power * groups[index][place] % modulus
    return found


def add_mask(key: PublicKey, packed: Sequence[mpz], mask: Mask) -> list[mpz]:
    """The packed ciphertexts with ρ added; unblinded."""
    if len(packed) != len(mask.rhos):
        raise MisuseError(f"{len(mask.rhos)} masks for {len(packed)} plaintexts; draw one for each")
    modulus = key.n_squared
    return [c * key.lift(rho) % modulus for c, rho in zip(packed, mask.rhos, strict=True)]


def pack_blinded(
    key: PublicKey, ciphertexts: Sequence[mpz], layout: SlotLayout, mask: Mask, roots: Sequence[mpz]
) -> list[mpz]:
    """What `pack` and `add_mask` make, each plaintext blinded by the n-th power of its root, a unit modulo n.

    Packing and blinding share their squarings, which is all of one's work and most of the other's. A kernel
    that takes eight numbers at once has both apart in less time than GMP has them together.
    """
    modulus = key.n_squared
    if kernel_for_public(modulus, layout.plaintexts(len(ciphertexts))) is None:
        return [one.ciphertext(key) for one in packed_products(ciphertexts, layout, mask, roots)]
    powers = public_powers(roots, int(key.n), modulus)
    packed = add_mask(key, pack(key, ciphertexts, layout), mask)
    return [one * power % modulus for one, power in zip(packed, powers, strict=True)]


def packed_products(
    ciphertexts: Sequence[mpz],
    layout: SlotLayout,
    mask: Mask,
    roots: Sequence[mpz],
    tables: PowerTables | None = None,
) -> list[RootedProduct]:
    """What `pack_blinded` multiplies, one for each plaintext, for who makes or checks several at once.

    `tables` are of all ciphertexts, where a process keeps them. Raises ValueError unless there are a mask and
    a root for each.
    """
    chunks, products = layout.chunks(len(ciphertexts)), list[RootedProduct]()
    for chunk, rho, root in zip(chunks, mask.rhos, roots, strict=True):
        members = ciphertexts[chunk]
        shifts = [1 << (layout.slot_bits * index) for index in range(len(members))]
        offsets = pack_plain([layout.offset] * len(members), layout)
        kept = None if tables is None else tables.part(chunk)
        products.append(RootedProduct(members, shifts, offsets + int(rho), root, kept))
    return products


def pack_plain(values: Sequence[int], layout: SlotLayout) -> int:
    """Σ value_i·2^(slot·i), offsets not added."""
    return sum(int(value) << (layout.slot_bits * index) for index, value in enumerate(values))


def unpack(plaintexts: Sequence[int], count: int, layout: SlotLayout) -> list[int]:
    """The raw digits of the slots of `count` values."""
    window = (1 << layout.slot_bits) - 1
    digits: list[int] = []
    for plaintext, chunk in zip(plaintexts, layout.chunks(count), strict=True):
        whole = int(plaintext)
        members = range(chunk.stop - chunk.start)
        digits.extend(whole >> (layout.slot_bits * index) & window for index in members)
    return digits
