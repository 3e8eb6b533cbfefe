"""Packages of the distribution, without the system services that they would start."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_GUARD = Path("/usr/sbin/policy-rc.d")
_LOCK = Path(tempfile.gettempdir()) / "deltaml-install.lock"
_WAIT_SECONDS = 300.0


def install(
    packages: Sequence[str],
    instructions: str,
    *,
    guard: Path = _GUARD,
    lock: Path = _LOCK,
    wait_seconds: float = _WAIT_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Install with apt-get as root; raises RuntimeError with the instructions where that is not possible.

    While another apt-get is at work it waits, for `wait_seconds` at each of its two commands.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(instructions)
    with _one_at_a_time(lock), _services_kept_from_starting(guard):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        for command in (["update", "-qq"], ["install", *options, *packages]):
            done = _run_alone(["apt-get", *command], environment, wait_seconds, pause)
            if done.returncode:
                raise RuntimeError(f"apt-get {' '.join(command)}: {done.stderr[-2000:]}; {instructions}")


def _run_alone(
    command: Sequence[str],
    environment: Mapping[str, str],
    wait_seconds: float,
    pause: Callable[[float], None],
) -> subprocess.CompletedProcess[str]:
    """Run it, again while another apt-get is at work: `update` cannot be told to wait for the lists' lock."""
    until = time.monotonic() + wait_seconds
    while True:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        if "Could not get lock" not in done.stderr or time.monotonic() > until:
            return done
        pause(1)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Of two at once, the first to end would take the switch below from the other, whose services start."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_kept_from_starting(guard: Path) -> Iterator[None]:
    """Debian's own switch: packages ask this script before they start a service."""
    before = guard.read_bytes() if guard.exists() else None
    guard.write_text("#!/bin/sh\nexit 101\n")
    guard.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            guard.unlink()
        else:
            guard.write_bytes(before)
