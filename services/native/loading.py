"""Which arithmetic this process has: looked for once, tried before it is believed."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.native.digits import LANES, public_steps, secret_digits
from protocol.crypto.native.in_use import use_kernel
from services.native.build import LIBRARY, sources_digest
from services.native.kernel import NativeKernel

SWITCH = "DELTAML_NATIVE"
"""The environment's: 0 has GMP compute, whatever there is."""

TRIED_BITS = (1024, 2050, 4096, 8192)
"""Lengths of moduli that a kernel is tried at before it is used."""
_EXPONENT = (1 << 70) - 12345


_NONE = "no kernel is built; one gains where the processor has AVX-512 IFMA (deltaml admin native build)"


class Arithmetic(NamedTuple):
    """What computes: a kernel, or GMP for the reason that `text` has."""

    kernel: NativeKernel | None
    text: str


def find_arithmetic(library: Path = LIBRARY, environment: Mapping[str, str] = os.environ) -> Arithmetic:
    """The kernel, if there is one that may be used here and computes as GMP does."""
    if environment.get(SWITCH) == "0":
        return Arithmetic(None, f"gmpy2: {SWITCH} is 0")
    if not library.exists():
        return Arithmetic(None, f"gmpy2: {_NONE}")
    try:
        kernel = NativeKernel(library)
    except (OSError, AttributeError):
        return Arithmetic(None, f"gmpy2: {library} cannot be loaded; build it again")
    if fault := fault_of(kernel):
        return Arithmetic(None, f"gmpy2: {fault}")
    return Arithmetic(kernel, "native: eight numbers at a time by AVX-512 IFMA")


def fault_of(kernel: NativeKernel) -> str:
    """Why a kernel may not be used here; empty where it may."""
    if kernel.sources != sources_digest():
        return "the kernel is built from other sources (deltaml admin native build)"
    if not kernel.runs_here:
        return "this processor has no AVX-512 IFMA"
    return "" if computes_rightly(kernel) else "the kernel computes wrong numbers here; please report it"


@cache
def use_arithmetic() -> str:
    """Have this process compute by what `find_arithmetic` finds, and say what that is; it looks once."""
    found = find_arithmetic()
    use_kernel(found.kernel)
    return found.text


def computes_rightly(kernel: NativeKernel, lengths: Sequence[int] = TRIED_BITS) -> bool:
    """Whether its products and powers of a few numbers of each length in bits are Python's own.

    A compiler or a virtual processor with a fault is found here, before anything is encrypted by it.
    """
    return all(_agrees(kernel, bits) and _agrees_by_halves(kernel, bits) for bits in lengths)


def _agrees(kernel: NativeKernel, bits: int) -> bool:
    moduli = [(mpz(1) << bits) - 2 * at - 1 for at in range(LANES)]
    numbers = [(modulus // 3) ^ (mpz(0x5A5A5A5A) << at) for at, modulus in enumerate(moduli)]
    bases = [number % modulus for number, modulus in zip(numbers, moduli, strict=True)]
    tops = [modulus - 1 - at for at, modulus in enumerate(moduli)]
    pairs = zip(bases, tops, moduli, strict=True)
    if kernel.products([bases, tops], moduli) != [a * b % modulus for a, b, modulus in pairs]:
        return False
    modulus, least = moduli[-1], [base % moduli[-1] for base in bases]
    exponents = [_EXPONENT >> at for at in range(LANES)]
    digits, table = secret_digits(exponents), kernel.table([mpz(1)] * LANES, least, modulus, 2)
    powers = [pow(base, e, one) for base, e, one in zip(bases, exponents, moduli, strict=True)]
    public = [pow(base, _EXPONENT, modulus) for base in least]
    chosen = bytes(int(base == lane) for base in range(LANES) for lane in range(LANES))
    return (
        kernel.secret_powers(bases, digits, moduli) == powers
        and kernel.public_powers(least, public_steps(_EXPONENT), modulus) == public
        and table.products(chosen, 1, LANES) == least
    )


def _agrees_by_halves(kernel: NativeKernel, bits: int) -> bool:
    root = (mpz(1) << bits) - 15
    within, modulus = kernel.halves(root), root * root
    if within is None:
        return True
    numbers = [modulus - 1, modulus // 3, root - 1, mpz(0x5A5A5A5A)]
    elements = [within.enter(number) for number in numbers]
    chain = within.chain({9: elements[:2], 2: elements[2:], 0: elements[1:2]})
    high, low = pow(numbers[0] * numbers[1], 512, modulus), pow(numbers[2] * numbers[3], 4, modulus)
    product = high * low * numbers[1] % modulus
    return bool(
        within.leave(chain) == product
        and within.leave(within.multiply(chain, elements[1])) == product * numbers[1] % modulus
        and within.leave(within.odd_powers(elements[1], 3)[-1]) == pow(numbers[1], 5, modulus)
    )
