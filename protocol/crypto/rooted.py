"""Ciphertexts whose making is shown, root and all: made again, or many of them checked at once.

Statement. Of each claim the ciphertext Y, units b_j with integers x_j, a plaintext m and a root r, a unit
modulo n: Y = Π b_j^(x_j)·(1+n)^m·r^n mod n². Nothing of it is secret from who checks.

To make one again takes a chain of squarings as long as n. Many are checked in one such chain: the product of
all Y^(−1)·Π b_j^(x_j)·(1+n)^m·r^n, each to a weight of its own, is 1. The first weight is 2, the others are
twice a number of 128 bits that is hashed from all claims in their order (M. Bellare, J. Garay, T. Rabin,
Eurocrypt '98), so that everybody who is shown the same finds the same, and nobody is accused of what another
does not see.

Soundness. Let one Y hold another plaintext than is claimed, by δ. No prime factor of n is below 2^128, so
modulo one that δ is not 0 in at most one of the 2^128 values of its weight lets the equation hold; the first
claim's has one value alone, and where the others hold it is found out for certain. Who grinds, changing a
claim until the hash suits, needs some 2^127 tries. A factor of order 2 in some Y passes: weights are even,
since −1, the one that everybody knows, would else pass by half of all weights. Factors of another small
order know who knows the factors of n. Neither changes a plaintext.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gmpy2 import mpz

from protocol.crypto.elements import is_unit
from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import PowerTables, product_of_powers
from protocol.crypto.proofs.transcript import integer_bytes
from protocol.crypto.randomness import Randomness
from protocol.types import digest_of

_WEIGHT_BITS = 128
_WEIGHTS = b"deltaml weights of rooted products"


@dataclass(frozen=True, slots=True)
class RootedProduct:
    """Π b_j^(x_j)·(1+n)^m·r^n, not multiplied yet; hidden from repr, since it may be of a secret question.

    `tables` are of the bases, where a process keeps them for more than this.
    """

    bases: Sequence[mpz] = field(repr=False)
    exponents: Sequence[int] = field(repr=False)
    plain: int = field(repr=False)
    root: mpz = field(repr=False)
    tables: PowerTables | None = field(default=None, repr=False)

    def ciphertext(self, key: PublicKey) -> mpz:
        """The number, in one chain of squarings; raises as `powers.product_of_powers` does."""
        return _product(key, [(1, self)], [], [])


@dataclass(frozen=True, slots=True)
class RootedClaim:
    """A ciphertext, and what it is said to be."""

    ciphertext: mpz
    product: RootedProduct

    def is_of_units(self, key: PublicKey) -> bool:
        """Whether ciphertext and root have no factor in common with n."""
        return is_unit(self.ciphertext, key.n, key.n_squared) and is_unit(self.product.root, key.n)

    def digest(self) -> bytes:
        """Of all of it."""
        product = self.product
        lists = ((self.ciphertext, product.plain, product.root), product.bases, product.exponents)
        return digest_of(*(digest_of(*map(integer_bytes, one)) for one in lists))


def all_hold(key: PublicKey, claims: Sequence[RootedClaim]) -> bool:
    """Whether every claim does, up to 2^-127; none with a ciphertext or root that is no unit does.

    Raises as `powers.product_of_powers` does for bases.
    """
    if not all(claim.is_of_units(key) for claim in claims):
        return False
    weights = _weights(key, claims)
    inverses = [-weight for weight in weights]
    products = [(weight, claim.product) for claim, weight in zip(claims, weights, strict=True)]
    return bool(_product(key, products, [claim.ciphertext for claim in claims], inverses) == 1)


def _product(
    key: PublicKey,
    weighted: Sequence[tuple[int, RootedProduct]],
    bases: Sequence[mpz],
    exponents: Sequence[int],
) -> mpz:
    """All products to their weights, and further powers, in one chain of squarings."""
    bases, exponents, kept = [*bases], [*exponents], list[tuple[PowerTables, list[int]]]()
    for weight, one in weighted:
        powers = [weight * exponent for exponent in one.exponents]
        if one.tables is not None:
            kept.append((one.tables, powers))
        else:
            bases += one.bases
            exponents += powers
    weights = [weight for weight, _ in weighted]
    root = product_of_powers([one.root for _, one in weighted], weights, key.n)
    plain = sum(weight * one.plain for weight, one in weighted)
    modulus = key.n_squared
    product = product_of_powers([*bases, root], [*exponents, int(key.n)], modulus, kept)
    return product * key.lift(plain) % modulus


def _weights(key: PublicKey, claims: Sequence[RootedClaim]) -> list[int]:
    whole = digest_of(_WEIGHTS, key.to_bytes(), *(claim.digest() for claim in claims))
    stream = Randomness(whole)
    return [2, *(2 * stream.bits(_WEIGHT_BITS) for _ in claims[1:])][: len(claims)]
