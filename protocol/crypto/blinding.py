"""The one door through which ciphertexts leave their maker: with fresh randomness, always.

Two kinds. Towards the holder of the key only n-th powers of uniform units will do: whoever knows p and q can
read a short exponent off a randomiser when p − 1 is smooth, and with it the value that was meant to be hidden
by a mask sharing that randomiser (`rooted.RootedProduct`). Between parties without the key, short exponents
over a fixed base are forty times faster.
"""

from collections.abc import Sequence
from functools import lru_cache

import gmpy2
from gmpy2 import mpz

from protocol.crypto.paillier import SHORT_EXPONENT_BITS, FixedBaseTable, PublicKey
from protocol.crypto.powers import public_power
from protocol.crypto.randomness import Randomness

PROOF_BITS = 512
"""How much longer than what it hides an exponent gets in a check of proofs: two challenges of 128 bits, masks
of 64, a weight of 129, and 63 for the number of proofs in a batch and of rows folded into one."""


class ShortExponentBlinder:
    """Randomisers h^(n·a) with a uniform below 2^448 and a base h of the blinding party's own.

    Damgård, Jurik, Nielsen, "A generalization of Paillier's public-key system", 2010, section 4.2, but
    for the base: see `draw_base`. Never towards the key's holder.
    """

    def __init__(self, key: PublicKey, base_seed: bytes) -> None:
        """Tables over the base drawn from the party's 32-byte seed; kept per process."""
        self._key = key
        self._base_seed = base_seed
        self._table = _table(key.n, base_seed)

    def blind(self, ciphertexts: Sequence[mpz], randomness: Randomness) -> list[mpz]:
        """Each ciphertext times a fresh randomiser."""
        modulus = self._key.n_squared
        powers = self._table.powers([randomness.bits(SHORT_EXPONENT_BITS) for _ in ciphertexts])
        return [c * power % modulus for c, power in zip(ciphertexts, powers, strict=True)]

    def roots(self, count: int, randomness: Randomness) -> list[mpz]:
        """The n-th roots h^a of what `blind` multiplies so many ciphertexts by, from the same stream.

        Who is shown them sees that a ciphertext was blinded, and that nothing else was done to it.
        """
        base = draw_base(self._key, Randomness(self._base_seed))
        return [gmpy2.powmod(base, randomness.bits(SHORT_EXPONENT_BITS), self._key.n) for _ in range(count)]


def draw_base(key: PublicKey, randomness: Randomness) -> mpz:
    """A uniform unit modulo n whose Jacobi symbol is −1: what short exponents are over.

    Anybody can compute Jacobi symbols, and that of Π c_j^(m_j)·h^(n·a) tells the parity of Σ m_j over those
    c_j whose symbol is −1, unless an odd a changes it and an even one does not. The −x² of the source has the
    symbol 1 for every key whose primes are 3 modulo 4.
    """
    while True:
        unit = randomness.unit(key.n)
        if gmpy2.jacobi(unit, key.n) == -1:
            return unit


@lru_cache(maxsize=256)
def blinding_power(key: PublicKey, base: mpz) -> mpz:
    """h^n for a party's base h; a process keeps the last ones.

    Whoever checks a proof makes it from h itself.
    """
    return public_power(base, int(key.n), key.n_squared)


@lru_cache(maxsize=16)
def blinding_powers(key: PublicKey, base: mpz) -> FixedBaseTable:
    """Powers of h^n for the base of one who blinds, wide enough for the proofs' masks; the last few are kept.

    One takes some 4 MB under a key of 2048 bits, and as long to make as fifty powers. A daemon needs its own
    and the two checkers'; a process that is all owners of a training needs one for each of them.
    """
    power = blinding_power(key, base)
    return FixedBaseTable(power, key.n_squared, SHORT_EXPONENT_BITS + PROOF_BITS, window=5)


@lru_cache(maxsize=16)
def _table(n: mpz, base_seed: bytes) -> FixedBaseTable:
    base = draw_base(PublicKey(n), Randomness(base_seed))
    return FixedBaseTable(public_power(base, int(n), n * n), n * n, SHORT_EXPONENT_BITS)
