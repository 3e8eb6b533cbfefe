"""Random and extreme numbers through every function of a kernel, against gmpy2."""

import random
from collections.abc import Callable

import gmpy2
from gmpy2 import mpz

from protocol.crypto.native.digits import LANES, public_steps, secret_digits, signed_digits, signed_positions
from services.native.kernel import NativeKernel

_LENGTHS = (961, 1024, 1025, 1536, 2048, 2050, 3072, 3073, 4096, 5000, 6144, 6240, 8191, 8192)
"""In bits: the ends, words and limbs that are just full, and keys' own."""

_FACTORS = 16
_EXPONENT_BITS = 24


def check_numbers(kernel: NativeKernel, stream: random.Random, numbers: int) -> int:
    """Try at least so many numbers; returns how many. Raises AssertionError with what came out wrong."""
    tried, turn = 0, 0
    checks: tuple[Callable[[NativeKernel, random.Random, int], int], ...] = (
        *(_products,) * 61,
        *(_halves,) * 9,
        _public_powers,
        _secret_powers,
        _table_products,
    )
    while tried < numbers:
        # The longest take sixty times as long as the shortest: most are short.
        bits = _LENGTHS[turn // len(checks) % len(_LENGTHS)] if turn % 31 == 0 else 1024
        tried += checks[turn % len(checks)](kernel, stream, bits)
        turn += 1
    return tried


def _products(kernel: NativeKernel, stream: random.Random, bits: int) -> int:
    moduli = [odd(stream, bits) for _ in range(LANES)]
    factors = [[number(stream, one) for one in moduli] for _ in range(_FACTORS)]
    expected = [mpz(1)] * LANES
    for some in factors:
        expected = [a * b % n for a, b, n in zip(expected, some, moduli, strict=True)]
    assert kernel.products(factors, moduli) == expected, (factors, moduli)
    return _FACTORS * LANES


def _public_powers(kernel: NativeKernel, stream: random.Random, bits: int) -> int:
    modulus, exponent = odd(stream, bits), stream.getrandbits(_EXPONENT_BITS)
    bases = [number(stream, modulus) for _ in range(stream.randint(1, LANES))]
    expected = [gmpy2.powmod(base, exponent, modulus) for base in bases]
    assert kernel.public_powers(bases, public_steps(exponent), modulus) == expected, (
        bases,
        exponent,
        modulus,
    )
    return len(bases)


def _secret_powers(kernel: NativeKernel, stream: random.Random, bits: int) -> int:
    moduli = [odd(stream, stream.choice([bits, 961])) for _ in range(stream.randint(1, LANES))]
    bases = [number(stream, one) for one in moduli]
    exponents = [stream.getrandbits(_EXPONENT_BITS) for _ in moduli]
    expected = [gmpy2.powmod(*one) for one in zip(bases, exponents, moduli, strict=True)]
    found = kernel.secret_powers(bases, secret_digits(exponents), moduli)
    assert found == expected, (bases, exponents, moduli)
    return len(bases)


def _table_products(kernel: NativeKernel, stream: random.Random, bits: int) -> int:
    modulus, window, count = odd(stream, bits), stream.randint(2, 6), stream.randint(1, 10)
    bases = [number(stream, modulus) for _ in range(count)]
    bases = [one if gmpy2.gcd(one, modulus) == 1 else mpz(2) for one in bases]
    most = (1 << _EXPONENT_BITS) - 1
    rows = [[stream.randint(-most, most) for _ in bases] for _ in range(stream.randint(1, LANES))]
    expected = []
    for row in rows:
        product = mpz(1)
        for base, exponent in zip(bases, row, strict=True):
            product = product * gmpy2.powmod(base, exponent, modulus) % modulus
        expected.append(product)
    positions = signed_positions(_EXPONENT_BITS, window)
    starts = [gmpy2.powmod(base, -(1 << (window - 1)), modulus) for base in bases]
    table = kernel.table(starts, bases, modulus, window)
    found = table.products(signed_digits(rows, window, positions), positions, len(rows))
    assert found == expected, (bases, rows, modulus)
    return len(rows)


def _halves(kernel: NativeKernel, stream: random.Random, bits: int) -> int:
    root = odd(stream, min(bits, 4096))
    within, modulus, expected = kernel.halves(root), root * root, mpz(1)
    assert within is not None
    factors: dict[int, list[bytes]] = {}
    for _ in range(_FACTORS):
        factor, position = number(stream, modulus), stream.randrange(_FACTORS)
        expected = expected * gmpy2.powmod(factor, 1 << position, modulus) % modulus
        factors.setdefault(position, []).append(within.enter(factor))
    found = within.leave(within.chain(factors))
    assert found == expected, (factors, modulus)
    last = within.odd_powers(within.enter(expected), 3)[-1]
    assert within.leave(last) == gmpy2.powmod(expected, 5, modulus), (expected, modulus)
    return 2 * _FACTORS


def odd(stream: random.Random, bits: int) -> mpz:
    """A modulus of at most so many bits, 961 at least: random, or with long runs of ones or zeros."""
    top = mpz(1) << (bits - 1)
    kind = stream.randrange(4)
    if kind == 0:
        return 2 * top - 1 - 2 * stream.getrandbits(8)
    if kind == 1:
        return top + 1 + 2 * stream.getrandbits(8)
    if kind == 2:
        return 2 * top - 1 - (((mpz(1) << stream.randrange(bits // 2)) - 1) << stream.randrange(1, bits // 2))
    return top | stream.getrandbits(bits) | 1


def number(stream: random.Random, modulus: mpz) -> mpz:
    """Below the modulus: random, next to one of its ends, or next to a power of two."""
    kind = stream.randrange(4)
    if kind == 0:
        return modulus - 1 - stream.getrandbits(2)
    if kind == 1:
        return mpz(stream.getrandbits(2))
    if kind == 2:
        power = mpz(1) << stream.randrange(int(modulus.bit_length()))
        return (power + stream.randint(-1, 1)) % modulus
    return mpz(stream.getrandbits(int(modulus.bit_length()))) % modulus
