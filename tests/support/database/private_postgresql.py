"""A PostgreSQL of the distribution's package as a child of this process.

It has data, socket folder and port of its own under a temporary folder, listens on loopback alone, and is
ended by its process id. It refuses to run as root, so root runs it as the user postgres.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGQUIT

import psycopg

from tests.support.database.memory import folder_in_memory
from tests.support.deployment.packages import install

_LIBRARY = Path("/usr/lib/postgresql")
_START_SECONDS = 300
USER = "deltaml"

INSTRUCTIONS = (
    "these tests need PostgreSQL 14 or newer: name a database in DELTAML_POSTGRES_URL, or run as root on "
    "Debian or Ubuntu, or install the package postgresql"
)


class PrivateCluster:
    """A cluster of the distribution's package, as a child of this process."""

    def __init__(self, folder: Path) -> None:
        """`folder` becomes the property of the user that the server runs as."""
        self._folder, self._data = folder, folder / "data"
        self._programs = _programs()
        self._prefix = _as_postgres() if os.geteuid() == 0 else []
        self.password = secrets.token_hex(16)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if self._prefix:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._initialise()

    @property
    def url(self) -> str:
        """Its database, with the password: for tests alone."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, or start again with the same data; returns when clients are served."""
        until = time.monotonic() + _START_SECONDS
        self._launch()
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    said = (self._folder / "output.log").read_text(errors="replace")[-3000:]
                    raise RuntimeError(f"PostgreSQL did not start: {said}") from None
            else:
                return
            assert self._process is not None
            if self._process.poll() is not None:  # what the killed one left behind is still ending
                self._launch()
            time.sleep(0.1)

    def kill(self) -> None:
        """As a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(300)

    def stop(self) -> None:
        """End it; nobody needs the data any more."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(SIGQUIT)
            process.wait(300)

    def _launch(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "max_connections": 100,
            "shared_buffers": "16MB",
        }
        command = [*self._prefix, str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password + "\n")
        if self._prefix:
            os.chown(secret, pwd.getpwnam("postgres").pw_uid, -1)
        command = [*self._prefix, str(self._programs / "initdb"), "-D", str(self._data), "-U", USER]
        command += [
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr[-2000:]}; {INSTRUCTIONS}")


@contextmanager
def private_cluster() -> Iterator[PrivateCluster]:
    """A started private cluster; installs the package if that is possible, else says what to do."""
    if not any(_LIBRARY.glob("*/bin/initdb")):
        install(["postgresql"], INSTRUCTIONS)
    folder = Path(tempfile.mkdtemp(prefix="deltaml-postgresql-", dir=folder_in_memory()))
    cluster: PrivateCluster | None = None
    try:
        cluster = PrivateCluster(folder)
        cluster.start()
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(_LIBRARY.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError(f"there is no PostgreSQL under {_LIBRARY}; {INSTRUCTIONS}")
    return found[-1].parent


def _as_postgres() -> list[str]:
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
