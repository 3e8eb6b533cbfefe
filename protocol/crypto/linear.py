"""Sums of ciphertexts' multiples, several of them in one chain of squarings.

Results carry no fresh randomness: they leave only through `blinding`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import PowerTables, joint_product


class Combination(NamedTuple):
    """A ciphertext that is yet to be multiplied: powers of what the tables are of, and a number in clear."""

    tables: PowerTables
    exponents: Sequence[int]
    plain: int


def combined(key: PublicKey, combinations: Sequence[Combination]) -> mpz:
    """The ciphertext of the sum of some combinations, one at least, in one chain of squarings; unblinded."""
    product = joint_product([(one.tables, one.exponents) for one in combinations])
    return product * key.lift(sum(one.plain for one in combinations)) % key.n_squared
