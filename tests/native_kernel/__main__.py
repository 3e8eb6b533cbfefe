"""`make native-check`: the kernel's C watched by sanitizers, against gmpy2, and strangers at its door.

Three parts. Products, powers and tables of random and extreme numbers of all lengths, `--products` numbers in
all, bit for bit as gmpy2 has them. Then `--strangers` calls of the bare C functions with whatever lengths,
counts, digits and numbers come: each must return, touch nothing beyond its buffers, and write no result
unless it says 0. Last, the form with the real instructions is compiled; where the processor has them, it is
tried like the other.
"""

import argparse
import ctypes
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from services.native.build import INSTRUCTIONS, PORTABLE, build, compiler
from services.native.kernel import NativeKernel
from services.native.loading import computes_rightly
from tests.native_kernel.numbers import check_numbers
from tests.native_kernel.strangers import check_strangers

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")
_LIBRARIES = ("libasan.so", "libubsan.so")


def main() -> None:
    options = _options()
    if options.library is None:
        _sanitized(options)
        return
    kernel = NativeKernel(options.library)
    stream = random.Random(options.seed)
    _tell(f"numbers: {check_numbers(kernel, stream, options.products)} as gmpy2 has them")
    told = check_strangers(ctypes.CDLL(str(options.library)), stream, options.strangers)
    _tell(f"strangers: {told}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--strangers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library", type=Path, help="of the process that the sanitizers watch")
    return parser.parse_args()


def _sanitized(options: argparse.Namespace) -> None:
    command = compiler()
    if command is None:
        sys.exit("no C compiler: install gcc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watched = build(folder / "watched.so", lanes=PORTABLE, options=("-O1", *SANITIZERS), command=command)
        own = ["--products", options.products, "--strangers", options.strangers, "--seed", options.seed]
        arguments = [sys.executable, "-m", "tests.native_kernel", "--library", watched, *own]
        subprocess.run(list(map(str, arguments)), env=_watching(command), check=True)
        real = NativeKernel(build(folder / "real.so", lanes=INSTRUCTIONS, command=command))
        if not real.runs_here:
            _tell("instructions: compiled; this processor has no AVX-512 IFMA, so they were not run")
            return
        assert computes_rightly(real)
        found = check_numbers(real, random.Random(options.seed), options.products)
        _tell(f"instructions: {found} numbers as gmpy2 has them")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _watching(command: list[str]) -> dict[str, str]:
    """The environment of a Python whose memory the sanitizers watch, every byte string of it."""
    found = [
        subprocess.run(
            [*command, f"-print-file-name={one}"], capture_output=True, text=True, check=True
        ).stdout
        for one in _LIBRARIES
    ]
    preloaded = " ".join(one.strip() for one in found)
    return {
        **os.environ,
        "LD_PRELOAD": preloaded,
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }


if __name__ == "__main__":
    main()
