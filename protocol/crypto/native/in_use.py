"""Which kernel this process computes by, and what one has to offer; none means GMP."""

from collections.abc import Sequence
from typing import Protocol

from gmpy2 import mpz

from protocol.crypto.native.digits import PublicSteps
from protocol.crypto.residues import PlainResidues, Residues, residues, use_halves

LEAST_LANES = 4
"""Numbers that have to stand together: a multiplication of eight is to take no longer than three of GMP's."""


class Table(Protocol):
    """Powers of some bases, kept for products over them."""

    def products(self, digits: bytes, positions: int, lanes: int) -> list[mpz]:
        """Π start_b·base_b^digit of the first lanes, over all bases b; `window` squarings between positions.

        `digits` are [position][base][eight lanes] bytes, each below 2^window; which they are is a secret.
        """


class Kernel(Protocol):
    """Computes with at most eight numbers at once, each from 0 up to below its modulus, which is odd."""

    def takes(self, modulus: mpz) -> bool:
        """Whether it computes modulo this one."""

    def public_powers(self, bases: Sequence[mpz], steps: PublicSteps, modulus: mpz) -> list[mpz]:
        """Powers with one exponent that everybody knows."""

    def secret_powers(self, bases: Sequence[mpz], digits: bytes, moduli: Sequence[mpz]) -> list[mpz]:
        """Powers with an exponent for each, by `digits.secret_digits`: secrets but for their length."""

    def table(self, starts: Sequence[mpz], bases: Sequence[mpz], modulus: mpz, window: int) -> Table:
        """A table of start·base^digit for as many bases as there are starts."""

    def halves(self, root: mpz) -> Residues | None:
        """Arithmetic modulo the square of `root`, one number at a time; nothing where it has none for it."""


_IN_USE: list[Kernel] = []


def use_kernel(kernel: Kernel | None) -> None:
    """Compute by this one from here on, or by GMP alone."""
    _IN_USE[:] = [] if kernel is None else [kernel]
    use_halves(None if kernel is None else kernel.halves)


def kernel_for(modulus: mpz, numbers: int) -> Kernel | None:
    """The one in use, where so many numbers modulo this one are its work."""
    for kernel in _IN_USE:
        if numbers >= LEAST_LANES and kernel.takes(modulus):
            return kernel
    return None


def kernel_for_public(modulus: mpz, numbers: int) -> Kernel | None:
    """The same for exponents that everybody knows: modulo n² it multiplies one number at a time in less."""
    kernel = kernel_for(modulus, numbers)
    return kernel if isinstance(residues(modulus), PlainResidues) else None
