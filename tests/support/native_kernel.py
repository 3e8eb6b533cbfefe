"""Kernels for tests: one of Python's own numbers, and the C one with its eight lanes in plain C."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import product
from math import prod
from pathlib import Path

from gmpy2 import mpz

from protocol.crypto.native import in_use
from protocol.crypto.native.digits import LANES, MOST_BASES, MOST_WINDOW, SECRET_WINDOW, PublicSteps
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.crypto.residues import PlainResidues
from protocol.errors import MisuseError
from services.native.build import PORTABLE, build, compiler
from services.native.kernel import NativeKernel


class PythonTable:
    """Start·base^digit by Python's `pow`; what the C kernel has no room for is refused here too."""

    def __init__(self, starts: Sequence[mpz], bases: Sequence[mpz], modulus: mpz, window: int) -> None:
        if not 1 <= window <= MOST_WINDOW or not 1 <= len(bases) <= MOST_BASES:
            raise MisuseError(f"no table of {len(bases)} bases and digits of {window} bits")
        self._pairs, self._modulus, self._window = list(zip(starts, bases, strict=True)), modulus, window

    def products(self, digits: bytes, positions: int, lanes: int) -> list[mpz]:
        found, left = [mpz(1)] * LANES, iter(digits)
        for _ in range(positions):
            found = [pow(one, 1 << self._window, self._modulus) for one in found]
            for (start, base), lane in product(self._pairs, range(LANES)):
                found[lane] = found[lane] * start * pow(base, next(left), self._modulus) % self._modulus
        assert next(left, None) is None
        assert max(digits) < 1 << self._window
        return found[:lanes]


class PythonKernel:
    """What a kernel is to compute, from the same digits; it notes how many numbers it was given at once."""

    def __init__(self, least_bits: int = 2) -> None:
        self.least_bits, self.calls = least_bits, list[tuple[str, int]]()

    def takes(self, modulus: mpz) -> bool:
        return modulus.bit_length() >= self.least_bits and modulus % 2 == 1

    def public_powers(self, bases: Sequence[mpz], steps: PublicSteps, modulus: mpz) -> list[mpz]:
        self.calls.append(("public", len(bases)))
        found = [mpz(1)] * len(bases)
        for squarings, digit in zip(steps.squarings, steps.digits, strict=True):
            assert digit <= steps.odd_powers
            odd = max(0, 2 * digit - 1)
            found = [
                pow(one, 1 << squarings, modulus) * pow(base, odd, modulus) % modulus
                for one, base in zip(found, bases, strict=True)
            ]
        return found

    def secret_powers(self, bases: Sequence[mpz], digits: bytes, moduli: Sequence[mpz]) -> list[mpz]:
        self.calls.append(("secret", len(bases)))
        exponents = [0] * LANES
        for at, digit in enumerate(digits):
            exponents[at % LANES] = (exponents[at % LANES] << SECRET_WINDOW) + digit
        return [
            pow(one, e, modulus)
            for one, e, modulus in zip(bases, exponents[: len(bases)], moduli, strict=True)
        ]

    def products(self, factors: Sequence[Sequence[mpz]], moduli: Sequence[mpz]) -> list[mpz]:
        return [prod(one) % modulus for one, modulus in zip(zip(*factors, strict=True), moduli, strict=True)]

    def table(self, starts: Sequence[mpz], bases: Sequence[mpz], modulus: mpz, window: int) -> PythonTable:
        self.calls.append(("table", len(bases)))
        return PythonTable(starts, bases, modulus, window)

    def halves(self, root: mpz) -> PlainResidues | None:
        self.calls.append(("halves", 1))
        return PlainResidues(root * root) if self.takes(root) else None


@lru_cache
def private_key_of(bits: int) -> PrivateKey:
    """One key of that length for all tests of a process."""
    return generate_private_key(bits)


@contextmanager
def kernel_in_use(kernel: in_use.Kernel | None) -> Iterator[None]:
    """Compute by this one within the block, and afterwards by whichever it was."""
    before = list(in_use._IN_USE)
    in_use.use_kernel(kernel)
    try:
        yield
    finally:
        in_use.use_kernel(before[0] if before else None)


def portable_kernel(folder: Path) -> NativeKernel | PythonKernel:
    """The C kernel, built once for all who share a folder; Python's where no compiler is installed."""
    command = compiler()
    if command is None:
        return PythonKernel()
    library = folder / "portable_kernel.so"
    with (folder / "portable_kernel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            build(library, lanes=PORTABLE, options=("-O1",), command=command)
    return NativeKernel(library)
