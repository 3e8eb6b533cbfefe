"""Compiling the kernel: by the system's compiler, or by that of the package `ziglang` where it is installed.

Nothing needs it: without a compiler, or a processor that has the instructions, GMP computes.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import protocol.crypto.native as sources_package
from services.common.errors import ConfigurationError

SOURCES = Path(sources_package.__file__).parent
LIBRARY = SOURCES / "kernel.so"
"""Beside its sources: who can write there can write all of this program."""

INSTRUCTIONS = ("-mavx512f", "-mavx512ifma")
PORTABLE = ("-DPORTABLE_LANES",)
"""Plain C in place of the instructions, for tests."""

_OPTIONS = ("-std=gnu11", "-O3", "-fPIC", "-fvisibility=hidden")
_COMPILERS = ("cc", "gcc", "clang")
_SECONDS = 300.0


def sources_digest() -> str:
    """SHA-256 of the C sources; a library says which it was built from."""
    files = sorted([*SOURCES.glob("*.c"), *SOURCES.glob("*.h")])
    whole = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        whole.update(f"{file.name} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def compiler(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """How to call one: $CC, the system's, or ziglang's; None where there is none."""
    named = environment.get("CC", "").split()
    for words in ([named] if named else []) + [[name] for name in _COMPILERS]:
        if found := shutil.which(words[0], path=environment.get("PATH")):
            return [found, *words[1:]]
    return [sys.executable, "-m", "ziglang", "cc"] if importlib.util.find_spec("ziglang") else None


def build(
    to: Path = LIBRARY,
    *,
    lanes: Sequence[str] = INSTRUCTIONS,
    options: Sequence[str] = (),
    command: Sequence[str] | None = None,
) -> Path:
    """Compile the kernel into the file `to`, which takes its place when it is whole.

    `lanes` says what the eight lanes are, `options` what else the compiler is told. Raises ConfigurationError
    where there is no compiler, where it fails, and where the file cannot be written.
    """
    command = command or compiler()
    if command is None:
        raise ConfigurationError("no C compiler: install gcc, clang, or the Python package ziglang")
    try:
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".kernel.") as folder:
            _compile(list(command), Path(folder), (*_OPTIONS, *options), lanes).replace(to)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {to}: {error.strerror}; run it as who owns the folder"
        ) from None
    return to


def _compile(command: list[str], folder: Path, options: Sequence[str], lanes: Sequence[str]) -> Path:
    digest = f'-DKERNEL_SOURCES="{sources_digest()}"'
    portable = [one for one in lanes if one in PORTABLE]
    objects = {"kernel": [*lanes, digest], "chains": list(lanes), "processor": portable}
    for name, own in objects.items():
        _run([*command, *options, *own, "-c", str(SOURCES / f"{name}.c"), "-o", str(folder / f"{name}.o")])
    files, library = [str(folder / f"{name}.o") for name in objects], folder / LIBRARY.name
    _run([*command, *options, "-shared", *files, "-o", str(library)])
    return library


def _run(arguments: list[str]) -> None:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"the compiler {arguments[0]} does not answer: {error}") from None
    if done.returncode:
        raise ConfigurationError(f"the compiler {arguments[0]} failed: {done.stderr[-2000:].strip()}")
