"""`deltaml demo --console` as a person starts it, in a process of its own."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.daemons.daemon_market import deltaml

KEY_BITS = 1024

_INTERRUPTIBLE = ("env", "--default-signal=INT")
"""Tests that a shell runs in the background begin with Ctrl-C ignored, and what they start would too."""


@dataclass(frozen=True, slots=True)
class DemoProcess:
    """Where its start page is, secret included."""

    address: str

    @property
    def root(self) -> str:
        return self.address.partition("?")[0]


@contextmanager
def running_demo(output: Path, *options: str) -> Iterator[DemoProcess]:
    """A demo with small keys, stopped as with Ctrl-C; what it says goes to `output`."""
    arguments = ["demo", "--console", "--console-port", "0", "--key-bits", str(KEY_BITS), *options]
    with output.open("wb") as errors:
        command = [*_INTERRUPTIBLE, *deltaml(), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("open "):
                    yield DemoProcess(line.removeprefix("open ").strip())
                    return
            raise AssertionError(f"the demo did not start: {output.read_text()}")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
