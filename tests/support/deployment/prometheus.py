"""A Prometheus of the distribution's package, as a child of this process, on loopback alone."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from tests.support.daemons.daemon_market import free_port
from tests.support.deployment.packages import install

_START_SECONDS = 300
INSTRUCTIONS = "these tests need prometheus and promtool: run as root on Debian or Ubuntu, or install them"


def tool(name: str) -> str:
    """The path of prometheus or promtool; installs the package if that is possible, else says what to do."""
    if shutil.which(name) is None:
        install(["prometheus"], INSTRUCTIONS)
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(INSTRUCTIONS)
    return found


def promtool(*arguments: str | Path) -> str:
    """What a promtool command says; fails with it when it fails."""
    done = subprocess.run(
        [tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """A running server's HTTP interface."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open = build_opener(ProxyHandler({})).open

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer; fails with the server's words when it refuses."""
        try:
            with self._open(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=300) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            with error:
                raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now."""
        return self.get("query", query=expression)["result"]

    def is_ready(self) -> bool:
        try:
            with self._open(f"{self.url}/-/ready", timeout=5):
                return True
        except (URLError, OSError):
            return False


@contextmanager
def running_prometheus(config: Path) -> Iterator[Prometheus]:
    """A server with this configuration; its data go beside it."""
    port = free_port()
    log = config.with_suffix(".log")
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={config.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with log.open("ab") as output:
        process = subprocess.Popen([tool("prometheus"), *options], stdout=output, stderr=output)
    try:
        server, until = Prometheus(f"http://127.0.0.1:{port}"), time.monotonic() + _START_SECONDS
        while not server.is_ready():
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"Prometheus did not start: {log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(20)
