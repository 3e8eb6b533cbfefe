"""Runs a command as a systemd unit confines it: its system call filter, no writable executable memory.

python -m tests.support.deployment.confined UNIT COMMAND…    (Linux 6.3 or newer, libseccomp, systemd-analyze)
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_REFUSE_WRITE_EXECUTE, _REFUSE = 65, 1
_NO_NEW_PRIVILEGES = 38
_ALLOW, _EPERM = 0x7FFF0000, 0x00050000 | 1
_UNKNOWN = -1


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Every setting of a unit, with its values in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def allowed_calls(unit: Path) -> set[str]:
    """The system calls that the unit's filter lets pass."""
    allowed: set[str] = set()
    for value in settings_of(unit)["SystemCallFilter"]:
        refused = value.startswith("~")
        named = {call for one in value.removeprefix("~").split() for call in _expanded(one)}
        allowed = allowed - named if refused else allowed | named
    return allowed


def _expanded(name: str) -> Iterator[str]:
    if not name.startswith("@"):
        yield name
        return
    command = ["systemd-analyze", "syscall-filter", name]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[1:]:
        one = line.strip()
        if one and not one.startswith("#"):
            yield from _expanded(one)


def confine(unit: Path) -> None:
    """Confine this process, and all that it starts, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    if settings_of(unit)["MemoryDenyWriteExecute"] == ["true"]:
        _check(libc.prctl(_REFUSE_WRITE_EXECUTE, _REFUSE, 0, 0, 0), "prctl")
    calls = allowed_calls(unit)
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_EPERM))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number != _UNKNOWN and number >= 0:
            _check(seccomp.seccomp_rule_add(context, _ALLOW, number, 0), call)
    _check(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    _check(seccomp.seccomp_load(context), "seccomp_load")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno() or -result, f"{what} failed")


if __name__ == "__main__":
    confine(Path(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
