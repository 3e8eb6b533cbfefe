"""Whether what a peer sent is a number at all, and a unit of the group that it should be of."""

from collections.abc import Sequence

import gmpy2
from gmpy2 import mpz

from protocol.errors import ProtocolViolation


def is_integer(value: object) -> bool:
    """An integer of Python or GMP; True and False are none."""
    return isinstance(value, int | mpz) and not isinstance(value, bool)


def is_unit(value: object, modulus: mpz, below: mpz | None = None) -> bool:
    """An integer without a common factor with `modulus`, above 0 and under `below` (the modulus itself)."""
    if not is_integer(value):
        return False
    return bool(0 < value < (below or modulus) and gmpy2.gcd(value, modulus) == 1)  # type: ignore[operator]


def are_units(values: Sequence[object], modulus: mpz, below: mpz | None = None) -> bool:
    """Whether each is, as `is_unit` says: a product is a unit if and only if all its factors are."""
    product = mpz(1)
    for value in values:
        if not (is_integer(value) and 0 < value < (below or modulus)):  # type: ignore[operator]
            return False
        product = product * value % modulus
    return bool(gmpy2.gcd(product, modulus) == 1)


def require_units(
    values: object, count: int, modulus: mpz, code: str, name: str, below: mpz | None = None
) -> None:
    """Raise ProtocolViolation(code) unless `values` is a tuple of so many units, as `is_unit` says."""
    require_count(values, count, code, name)
    if are_units(values, modulus, below):  # type: ignore[arg-type]
        return
    for index, value in enumerate(values):  # type: ignore[arg-type,var-annotated]
        if not is_unit(value, modulus, below):
            raise ProtocolViolation(code, f"{name} {index} is no unit of its group")


def require_count(values: object, count: int, code: str, name: str) -> None:
    """Raise ProtocolViolation(code) unless `values` is a tuple of so many."""
    if not isinstance(values, tuple):
        raise ProtocolViolation(code, f"no list of {name}s")
    if len(values) != count:
        raise ProtocolViolation(code, f"{len(values)} {name}s; {count} expected")
