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
from itertools import chain

from gmpy2 import mpz

from protocol.crypto.elements import is_unit
from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import product_of_powers
from protocol.crypto.proofs.transcript import integer_bytes
from protocol.crypto.randomness import Randomness
from protocol.types import digest_of

_WEIGHT_BITS = 128
_WEIGHTS = b"deltaml weights of rooted products"


@dataclass(frozen=True, slots=True)
class RootedProduct:
    """Π b_j^(x_j)·(1+n)^m·r^n, not multiplied yet; hidden from repr, since it may be of a secret question."""

    bases: Sequence[mpz] = field(repr=False)
    exponents: Sequence[int] = field(repr=False)
    plain: int = field(repr=False)
    root: mpz = field(repr=False)

    def ciphertext(self, key: PublicKey) -> mpz:
        """The number, in one chain of squarings; raises as `powers.product_of_powers` does."""
        modulus = key.n_squared
        product = product_of_powers([*self.bases, self.root], [*self.exponents, int(key.n)], modulus)
        return product * key.lift(self.plain) % modulus


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
    weighted = list(zip(claims, weights, strict=True))
    bases = chain.from_iterable((one.ciphertext, *one.product.bases) for one in claims)
    exponents = chain.from_iterable(
        (-weight, *(weight * exponent for exponent in one.product.exponents)) for one, weight in weighted
    )
    root = product_of_powers([one.product.root for one in claims], weights, key.n)
    plain = sum(weight * one.product.plain for one, weight in weighted)
    return bool(RootedProduct(list(bases), list(exponents), plain, root).ciphertext(key) == 1)


def _weights(key: PublicKey, claims: Sequence[RootedClaim]) -> list[int]:
    whole = digest_of(_WEIGHTS, key.to_bytes(), *(claim.digest() for claim in claims))
    stream = Randomness(whole)
    return [2, *(2 * stream.bits(_WEIGHT_BITS) for _ in claims[1:])][: len(claims)]
