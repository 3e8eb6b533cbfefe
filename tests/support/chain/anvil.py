"""A real node for tests: anvil, as contracts/package-lock.json pins it, on a port of its own."""

import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@cache
def anvil_binary() -> Path:
    """The binary, installed if need be; a clear error where node or npm is missing."""
    subprocess.run(
        [sys.executable, "-c", "import build; build.install()"], cwd=_CONTRACTS, check=True, timeout=300
    )
    package = f"anvil-{sys.platform}-{_MACHINES[platform.machine().lower()]}"
    binary = _CONTRACTS / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    if not binary.exists():
        raise FileNotFoundError(
            f"{binary} is missing: remove contracts/node_modules and run `make contracts`"
        )
    return binary


@contextmanager
def running_anvil(*options: str) -> Iterator[str]:
    """The URL of a fresh node that mines each transaction at once."""
    command = [str(anvil_binary()), "--port", "0", "--host", "127.0.0.1", "--chain-id", "31337", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    drain: threading.Thread | None = None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Listening on "):
                # Nobody reads on from here: a full pipe would stop the node.
                drain = threading.Thread(target=process.stdout.read)
                drain.start()
                yield "http://" + line.removeprefix("Listening on ").strip()
                return
        raise RuntimeError(f"anvil did not start: {''.join(said)}")
    finally:
        process.terminate()
        process.wait(300)
        if drain is not None:
            drain.join()
        process.stdout.close()
