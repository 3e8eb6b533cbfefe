"""Processes that outlive the command that started them, each with a record by which it is found again.

A record has the process' number and when it began: numbers pass on when processes end and machines restart,
and what began at another time is not ours and never signalled. A process becomes what was asked for only once
its record is written, so that a command that is killed on the way leaves none that nobody knows of.
"""

import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import ConfigurationError
from services.common.files import private_folder, write_private
from services.observability.logging import LOG_FILE, MOST_LOG_BYTES

_GATE = 'read -r go && umask 077 && cd "$1" && shift && exec "$@" </dev/null'
"""The shell's script: it ends unless it is told to go, as when whoever should tell it was killed."""
_LAST_BYTES, _MOST_WORDS = 8192, 300
_AFTERWARDS = "resource_tracker"
"""In lines that Python prints when a process is gone that was killed."""
_USUAL = re.compile(r'\[(info|debug) *\]|"level": ?"(info|debug)"')
"""Of a line of the log, as text for people or as JSON, that reports no fault."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a process is recorded, and where what it prints is kept; both readable by their owner alone."""

    record: Path
    log: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> "Slot":
        """The process of this name in a market's folder."""
        return cls(
            private_folder(folder / "run") / f"{name}.pid", private_folder(folder / "logs") / f"{name}.log"
        )

    def pid(self) -> int | None:
        """The process' number while it runs."""
        pid, mark = self._recorded()
        return pid if pid and began(pid) == mark else None

    def note(self, pid: int) -> None:
        """Record a process."""
        write_private(self.record, f"{pid}\n{began(pid)}\n".encode())

    def forget(self) -> None:
        """The process has ended."""
        self.record.unlink(missing_ok=True)

    def terminate(self) -> bool:
        """Ask the process to end (SIGTERM); false where it does not run, whoever has its number now."""
        pid, mark = self._recorded()
        if not pid or began(pid) != mark:
            return False
        if sys.platform != "linux":
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            return True
        with suppress(ProcessLookupError), _held(pid) as handle:
            if began(pid) == mark:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                return True
        return False

    def last_words(self) -> str:
        """The last line that the process printed, cut off where it is long.

        Nothing where that is one of those by which a daemon tells what it does: it says nothing of its end.
        """
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _LAST_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip() and _AFTERWARDS not in line), "")
            return "" if _USUAL.search(last) else last[-_MOST_WORDS:]
        return ""

    def _recorded(self) -> tuple[int, str]:
        try:
            pid, mark = self.record.read_text().splitlines()
            return int(pid), mark
        except (OSError, ValueError):
            return 0, ""


def launch(slot: Slot, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Start a command in `folder`, away from this terminal; what it prints is added to the slot's log.

    A daemon puts that aside by itself when it is long (`observability.logging`), others have it done here.
    """
    if slot.log.exists() and slot.log.stat().st_size > MOST_LOG_BYTES:
        slot.log.replace(slot.log.with_suffix(".log.1"))
    reader, writer = os.pipe()
    added = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    streams = [
        (os.POSIX_SPAWN_DUP2, reader, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(slot.log), added, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    environment = {**environment, LOG_FILE: str(slot.log)}
    shell = ["sh", "-c", _GATE, "sh", str(folder), *command]
    try:
        pid = os.posix_spawn("/bin/sh", shell, environment, file_actions=streams, setsid=True)
        slot.note(pid)
        with suppress(BrokenPipeError):
            os.write(writer, b"go\n")
    finally:
        os.close(reader)
        os.close(writer)


def began(pid: int) -> str | None:
    """What tells a process from any other that had or gets its number; None once it has ended."""
    if sys.platform != "linux":
        return began_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot} {fields[19]}"


def began_by_ps(pid: int) -> str | None:
    """As `began`, for systems without /proc; to the second."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  a number
    state, _, mark = shown.stdout.strip().partition(" ")
    return mark.strip() if mark and state[0] not in "ZX" else None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One command at a time changes a market; raises ConfigurationError while another does."""
    handle = os.open(private_folder(folder / "run") / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(
            f"another command works on {folder}: run this again when it has ended"
        ) from None


@contextmanager
def _held(pid: int) -> Iterator[int]:
    """A process by a handle, whose number passes to no other meanwhile."""
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)
