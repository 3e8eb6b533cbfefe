"""The one door through which ciphertexts leave their maker: with fresh randomness, always.

Two kinds. Towards the holder of the key only n-th powers of uniform units will do: whoever knows p and q can
read a short exponent off a randomiser when p − 1 is smooth, and with it the value that was meant to be hidden
by a mask sharing that randomiser. Between parties without the key, short exponents over a fixed base are
forty times faster.
"""

from collections.abc import Sequence
from functools import lru_cache

import gmpy2
from gmpy2 import mpz

from protocol.crypto.paillier import FixedBaseTable, PublicKey
from protocol.crypto.randomness import Randomness

SHORT_EXPONENT_BITS = 448
"""Twice 128 bits of security against generic square-root methods, with 192 bits to spare."""


def blind_for_key_holder(key: PublicKey, ciphertexts: Sequence[mpz], randomness: Randomness) -> list[mpz]:
    """Each ciphertext times r^n with r uniform in Z*_n: for everything that the key's holder will see."""
    modulus = key.n_squared
    return [c * gmpy2.powmod(randomness.unit(key.n), key.n, modulus) % modulus for c in ciphertexts]


class ShortExponentBlinder:
    """Randomisers h^(n·a) with a uniform below 2^448 and h = −x² for an x of the blinding party's own.

    Damgård, Jurik, Nielsen, "A generalization of Paillier's public-key system", 2010, section 4.2. Never
    towards the key's holder.
    """

    def __init__(self, key: PublicKey, base_seed: bytes) -> None:
        """Tables over the base drawn from the party's 32-byte seed; kept per process."""
        self._key = key
        self._table = _table(key.n, base_seed)

    def blind(self, ciphertexts: Sequence[mpz], randomness: Randomness) -> list[mpz]:
        """Each ciphertext times a fresh randomiser."""
        modulus = self._key.n_squared
        return [c * self._table.power(randomness.bits(SHORT_EXPONENT_BITS)) % modulus for c in ciphertexts]


@lru_cache(maxsize=16)
def _table(n: mpz, base_seed: bytes) -> FixedBaseTable:
    x = Randomness(base_seed).unit(n)
    base = gmpy2.powmod(-x * x % n, n, n * n)
    return FixedBaseTable(base, n * n, SHORT_EXPONENT_BITS)
