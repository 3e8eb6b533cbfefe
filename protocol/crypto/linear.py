"""Rows of signed integers times an encrypted vector.

Results carry no fresh randomness: they leave only through `blinding`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import PowerTables, joint_product
from protocol.errors import MisuseError


def linear_combinations(
    key: PublicKey, rows: Sequence[Sequence[int]], ciphertexts: Sequence[mpz]
) -> list[mpz]:
    """Π_j c_j^(a_ij) mod n² for each row i: the ciphertexts of rows·plaintexts, unblinded.

    `rows` is any number of rows of len(ciphertexts) signed integers. Raises MisuseError for ragged rows.
    """
    columns = len(ciphertexts)
    if any(len(row) != columns for row in rows):
        raise MisuseError(f"every row needs {columns} coefficients, one for each ciphertext")
    if not rows:
        return []
    return rows_of_powers(ciphertexts, rows, key.n_squared)


class Combination(NamedTuple):
    """A ciphertext that is yet to be multiplied: powers of what the tables are of, and a number in clear."""

    tables: PowerTables
    exponents: Sequence[int]
    plain: int


def combined(key: PublicKey, combinations: Sequence[Combination]) -> mpz:
    """The ciphertext of the sum of some combinations, one at least, in one chain of squarings; unblinded."""
    product = joint_product([(one.tables, one.exponents) for one in combinations])
    return product * key.lift(sum(one.plain for one in combinations)) % key.n_squared
