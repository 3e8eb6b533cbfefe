"""`python -m services.data.sandboxed_reader`: reads an uploaded file of rows in its own process, bounded.

A file that was made to exhaust memory or time, or that brings the reading library down, ends this process and
not the daemon. What it found goes to standard output: the statistic, or an error text without values.
"""

import asyncio
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]

from protocol.errors import DeltaMLError
from protocol.learning.statistic import Statistic
from services.common.ending import leave
from services.common.errors import DataSetError
from services.data.row_files import index_columns
from services.data.row_reader import Import, first_rows, read_statistic

MEMORY_BYTES = 4 << 30
PROCESSOR_SECONDS = 600
PREVIEW_ROWS = 8
_LONGEST_ERROR = 4096
"""Characters of an error that are told: it names columns, which a file may call as it likes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a file: its statistic, and its first rows, to be shown once and kept nowhere.

    `left_out` are the columns in which pandas stored its index.
    """

    statistic: Statistic
    preview: tuple[tuple[float | str | None, ...], ...]
    left_out: tuple[str, ...]


async def read_apart(path: Path, declared: Import, name: str, *, memory_bytes: int = MEMORY_BYTES) -> Found:
    """Read `path`, which its owner calls `name`, as it is declared, in a process of its own.

    Raises DataSetError naming the row and column that cannot be used, or the bound that the file exceeded.
    """
    asked = msgpack.packb(asdict(declared))
    answer = await run_apart("services.data.sandboxed_reader", path, memory_bytes, asked)
    if (refused := refusal(answer, path, name)) is not None:
        raise DataSetError(refused)
    if "statistic" not in answer:
        raise DataSetError(
            f"{name} needs more than {memory_bytes >> 20} MiB or {PROCESSOR_SECONDS} seconds, or is "
            "damaged; write it again in smaller row groups, or use: deltaml datasets add"
        )
    statistic, preview = Statistic.from_bytes(answer["statistic"]), tuple(map(tuple, answer["preview"]))
    return Found(statistic, preview, tuple(answer["left_out"]))


def found_in(path: Path, declared: Import) -> Found:
    """What is in a file, read in this process; raises DataSetError, and whatever the reading library does."""
    statistic = read_statistic(path, declared)
    preview = first_rows(path, statistic, PREVIEW_ROWS)
    return Found(statistic, tuple(map(tuple, preview)), tuple(index_columns(path)))


async def run_apart(module: str, path: Path, memory_bytes: int, asked: bytes) -> dict[str, Any]:
    """What a module answers about a file in a process of its own; empty when it did not come to an end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        str(path),
        str(memory_bytes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await child.communicate(asked)
    finally:
        if child.returncode is None:  # whoever asked has gone away
            child.kill()
            await child.wait()
    return {} if child.returncode else _answer_in(output)


def refusal(answer: dict[str, Any], path: Path, name: str) -> str | None:
    """Why a module refused a file, by the name that its owner knows; None where it did not."""
    error = answer.get("error")
    return str(error).replace(str(path), name)[:_LONGEST_ERROR] if error else None


def _answer_in(output: bytes) -> dict[str, Any]:
    """What a module has written, nothing where that is no answer: what it loads may write there as well."""
    try:
        answer = msgpack.unpackb(output)
    except (ValueError, msgpack.UnpackException):
        return {}
    return answer if isinstance(answer, dict) else {}


def bound(memory: int) -> None:
    """Bound this process to so many bytes and `PROCESSOR_SECONDS`, without a core when it dies."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would be a copy of the rows
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    """Read the file named by the arguments, as standard input declares it, within the bounds."""
    path, memory = Path(sys.argv[1]), int(sys.argv[2])
    declared = Import(**msgpack.unpackb(sys.stdin.buffer.read(), use_list=False))
    bound(memory)
    try:
        found = found_in(path, declared)
    except DeltaMLError as error:
        answer: dict[str, Any] = {"error": str(error)}
    else:
        statistic = found.statistic.to_bytes()
        answer = {"statistic": statistic, "preview": found.preview, "left_out": found.left_out}
    sys.stdout.buffer.write(msgpack.packb(answer))


if __name__ == "__main__":
    main()
    leave(0)
