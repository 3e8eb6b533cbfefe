"""What systemd is told: that the daemon is up, what it does, and again and again that it is alive.

The protocol is one datagram a message to the socket in NOTIFY_SOCKET; without that variable nobody is told.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress


class Supervisor:
    """Tells whoever started this process; one that is gone or deaf changes nothing for the daemon."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads NOTIFY_SOCKET, and WATCHDOG_USEC when it is meant for this process (WATCHDOG_PID)."""
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._pause = int(microseconds) / 2e6 if ours and microseconds.isdigit() else None
        self._clock, self._next = clock, 0.0
        self.said = ""

    def ready(self) -> None:
        """The configuration is good and the daemon observed; node and broker may still be away."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; `said` has the last one."""
        self.said = text
        self._tell(f"STATUS={text}")

    def stopping(self) -> None:
        """The daemon drains."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Called often; tells the watchdog twice in its period."""
        if self._pause is None or self._clock() < self._next:
            return
        self._next = self._clock() + self._pause
        self._tell("WATCHDOG=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # Without a file to spare there is no socket either; the next time may be better.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as teller,
        ):
            teller.sendto(message.encode(), self._address)
