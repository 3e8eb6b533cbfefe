"""`make native-speed`: what the kernel gains, per primitive and in a round: processor seconds of one process.

Each primitive is computed by gmpy2 and by the kernel in turn, over numbers that fill its lanes; the least
time of each is taken, since whatever else a machine does only adds to it. What comes out is compared as well.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.crypto.native.batch import public_powers, rows_of_powers
from protocol.crypto.native.digits import LANES
from protocol.crypto.native.in_use import Kernel, use_kernel
from protocol.crypto.opening import open_ciphertexts
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.crypto.powers import product_of_powers, public_power
from protocol.crypto.randomness import Randomness
from services.native.build import LIBRARY
from services.native.loading import find_arithmetic
from tests.benchmarks.checked_round import SIZES, Size, timed_market

_WEIGHTS, _ROWS, _COEFFICIENT_BITS = 12, 2 * LANES, 70
"""Of a trainer's map, about as for the diabetes data's columns, in rows that fill the lanes."""

Primitives = dict[str, Callable[[], object]]


class Gain(NamedTuple):
    """Milliseconds of a processor that a primitive takes in either way."""

    primitive: str
    by_gmpy2: float
    by_kernel: float

    @property
    def ratio(self) -> float:
        """How many times as fast the kernel is."""
        return self.by_gmpy2 / self.by_kernel


def primitives(private: PrivateKey) -> Primitives:
    """What a round asks of a kernel, by name; each gives the same numbers whenever it is called."""
    key = private.public_key
    ciphertexts = private.encrypt_all(range(2 * LANES), _stream())
    blinder = ShortExponentBlinder(key, b"s" * 32)
    stream = _stream()
    rows = [[stream.bits(_COEFFICIENT_BITS) for _ in range(_WEIGHTS)] for _ in range(_ROWS)]
    roots = [mpz(stream.bits(key.bits - 1)) for _ in range(LANES)]
    return {
        "n-th powers modulo n², of 8 numbers": lambda: public_powers(roots, int(key.n), key.n_squared),
        "the key holder's encryption, of 16": lambda: private.encrypt_all(range(2 * LANES), _stream()),
        "randomisers of short exponents, of 16": lambda: blinder.blind(ciphertexts, _stream()),
        "decryption, of 16": lambda: private.decrypt_all(ciphertexts),
        "openings with n-th roots, of 16": lambda: open_ciphertexts(private, ciphertexts),
        f"{_ROWS} rows of {_WEIGHTS} coefficients of {_COEFFICIENT_BITS} bits": lambda: rows_of_powers(
            ciphertexts[:_WEIGHTS], rows, key.n_squared
        ),
        "the n-th power of one number": lambda: public_power(roots[0], int(key.n), key.n_squared),
        f"one product of {_ROWS} powers of {_COEFFICIENT_BITS} bits": lambda: product_of_powers(
            ciphertexts, [row[0] for row in rows], key.n_squared
        ),
    }


def round_gain(kernel: Kernel, size: Size, *, key_bits: int, group: CommitmentGroup) -> Gain:
    """Of all parties' steps, the middle of two rounds after a first. Afterwards gmpy2 computes."""
    milliseconds = []
    for one in (None, kernel):
        use_kernel(one)
        market = timed_market(size, key_bits=key_bits, rounds=3, group=group)
        market.start()
        market.finish()
        milliseconds.append(market.medians(range(2, 4))[0]["all"])
    use_kernel(None)
    name = f"all steps of a round, T = {size.trainers}, V = {size.validators}, p = {size.parameters}"
    return Gain(name, *milliseconds)


def gains(computations: Primitives, kernel: Kernel, turns: int) -> list[Gain]:
    """Of each primitive; raises AssertionError for one that differs. Afterwards gmpy2 computes."""
    found = []
    for name, compute in computations.items():
        best: dict[bool, float] = {}
        results: dict[bool, object] = {}
        for turn in range(2 * (turns + 1)):
            by_kernel = turn % 2 == 1
            use_kernel(kernel if by_kernel else None)
            started = time.process_time()
            results[by_kernel] = compute()
            seconds = time.process_time() - started
            if turn > 1:  # the first of each fills tables
                best[by_kernel] = min(seconds, best.get(by_kernel, seconds))
        assert results[False] == results[True], name
        found.append(Gain(name, 1e3 * best[False], 1e3 * best[True]))
    use_kernel(None)
    return found


def lines(found: list[Gain]) -> list[str]:
    """A table for people."""
    head = ["| primitive | gmpy2, ms | kernel, ms | times as fast |", "| --- | ---: | ---: | ---: |"]
    return head + [
        f"| {one.primitive} | {one.by_gmpy2:.1f} | {one.by_kernel:.1f} | {one.ratio:.1f} |" for one in found
    ]


def _stream() -> Randomness:
    return Randomness(b"speed of the kernel".ljust(32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key-bits", type=int, default=3072)
    parser.add_argument("--turns", type=int, default=9, help="of each way; the least time counts")
    parser.add_argument("--library", type=Path, default=LIBRARY)
    options = parser.parse_args()
    arithmetic = find_arithmetic(options.library, {})
    if arithmetic.kernel is None:
        sys.exit(arithmetic.text)
    private = generate_private_key(options.key_bits)
    found = gains(primitives(private), arithmetic.kernel, options.turns)
    found.append(round_gain(arithmetic.kernel, SIZES[0], key_bits=options.key_bits, group=RSA_2048))
    sys.stdout.write("\n".join([f"{options.key_bits} bits", *lines(found)]) + "\n")


if __name__ == "__main__":
    main()
