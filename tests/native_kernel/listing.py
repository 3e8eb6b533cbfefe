"""What the compiler made of a multiplication: its loops, and how many instructions of what kind each has."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.native.build import INSTRUCTIONS, SOURCES, compiler

_LINE = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)")


class Instruction(NamedTuple):
    """As objdump prints it."""

    address: int
    name: str
    operands: str


class Loop(NamedTuple):
    """From where a jump leads back to it, inner loops included."""

    instructions: int
    multiplications: int
    stack: int


def listing_of_multiply(command: Sequence[str]) -> list[Instruction]:
    """The function of `montgomery.h`, for the real instructions."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "kernel.o"
        options = ("-std=gnu11", "-O3", "-fPIC", *INSTRUCTIONS)
        subprocess.run([*command, *options, "-c", SOURCES / "kernel.c", "-o", made], check=True)
        text = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", made], capture_output=True, text=True, check=True
        ).stdout
    lines = text.split("<multiply>:")[1].split("\n\n")[0].splitlines()
    return [Instruction(int(one[1], 16), one[2], one[3]) for one in map(_LINE.match, lines) if one]


def loops_of(listing: Sequence[Instruction]) -> list[Loop]:
    """All loops that multiply, the shortest first."""
    places = {one.address: at for at, one in enumerate(listing)}
    found = []
    for end, jump in enumerate(listing):
        start = places.get(int(jump.operands.split()[0], 16)) if jump.name.startswith("j") else None
        if start is None or start > end:
            continue
        body = listing[start : end + 1]
        multiplications = sum("vpmadd52" in one.name for one in body)
        if multiplications:
            stack = sum("(%rsp" in one.operands for one in body)
            found.append(Loop(len(body), multiplications, stack))
    return sorted(found)


def main() -> None:
    command = compiler()
    if command is None:
        sys.exit("no C compiler: install gcc")
    for one in loops_of(listing_of_multiply(command)):
        sys.stdout.write(
            f"a loop of {one.instructions} instructions: {one.multiplications} vpmadd52, "
            f"{one.stack} that touch the stack\n"
        )


if __name__ == "__main__":
    main()
