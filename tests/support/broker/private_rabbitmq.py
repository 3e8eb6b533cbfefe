"""A RabbitMQ of the distribution's package as a child of this process.

It has ports, data, logs, plugins, cookie and epmd of its own under a temporary folder, listens on loopback
alone, and is ended by its process id.
"""

import json
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, build_opener

from tests.support.broker.few_modules import write_descriptions
from tests.support.database.memory import folder_in_memory
from tests.support.deployment.packages import install

_LIBRARY = Path("/usr/lib/rabbitmq/lib")
_START_SECONDS = 300

INSTRUCTIONS = (
    "these tests need RabbitMQ: name one with an administrator's login in DELTAML_AMQP_URL and "
    "DELTAML_AMQP_MANAGEMENT_URL, or start Docker, or run as root on Debian or Ubuntu, "
    "or install the package rabbitmq-server"
)


@dataclass(frozen=True)
class Server:
    """A running broker and its administrator. URLs are without login and virtual host.

    `prometheus_url` is where its metrics are, if that is known.
    """

    amqp_url: str
    management_url: str
    user: str
    password: str
    amqps_url: str | None = None
    prometheus_url: str | None = None


class PrivateBroker:
    """A broker of the distribution's package, as a child of this process."""

    def __init__(self, folder: Path, tls: dict[str, Path] | None = None, *, metrics: bool = False) -> None:
        """`tls` names the files ca, certificate and key of a second listener that wants certificates.

        Without `metrics` for Prometheus it starts with a fifth less work.
        """
        self._folder, self._tls, self._metrics = folder, tls, metrics
        self._script = _server_script()
        names = ("amqp", "amqps", "management", "prometheus", "distribution", "epmd")
        self._ports = dict(zip(names, _free_ports(len(names)), strict=True))
        self._environment = self._prepare()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> Server:
        """Where it listens."""
        return Server(
            f"amqp://127.0.0.1:{self._ports['amqp']}",
            f"http://127.0.0.1:{self._ports['management']}",
            "guest",
            "guest",
            f"amqps://localhost:{self._ports['amqps']}" if self._tls else None,
            f"http://127.0.0.1:{self._ports['prometheus']}" if self._metrics else None,
        )

    @property
    def is_running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start, or start again with the same data; returns when clients are served."""
        if self._epmd is None:
            options = ["-address", "127.0.0.1", "-port", str(self._ports["epmd"])]
            self._epmd = subprocess.Popen(["epmd", *options], env=self._environment)
        with (self._folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._script], env=self._environment, stdout=log, stderr=log, cwd=self._folder
            )
        wait_until_served(self.server, self._process, self._folder / "output.log")

    def kill(self) -> int | None:
        """As a power cut would; the killed pid."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        process.wait(300)
        return process.pid

    def stop(self) -> None:
        """End broker and epmd; nobody needs the data any more, so there is nothing to wait for."""
        self.kill()
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait(300)
            self._epmd = None

    def _prepare(self) -> dict[str, str]:
        home = self._folder / "home"
        home.mkdir(parents=True)
        cookie = home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        plugins = ["rabbitmq_management"]
        plugins += ["rabbitmq_auth_mechanism_ssl"] * bool(self._tls) + ["rabbitmq_prometheus"] * self._metrics
        (self._folder / "plugins").write_text(f"[{','.join(plugins)}].\n")
        (self._folder / "rabbitmq.conf").write_text("\n".join(self._configuration()) + "\n")
        (self._folder / "empty.conf").touch()
        ports, descriptions = self._ports, write_descriptions(self._folder / "applications")
        return {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the broker instead of its parent
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "empty.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_NODENAME": f"deltaml-{ports['amqp']}@localhost",
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            # One scheduler that does not spin while it waits: on cores that all tests share, two wait for
            # each other, and the same work takes half as long again.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
            f"-kernel inet_dist_use_interface {{127,0,0,1}} -pa {descriptions}",
        }

    def _configuration(self) -> Iterator[str]:
        yield f"listeners.tcp.default = 127.0.0.1:{self._ports['amqp']}"
        yield f"management.tcp.port = {self._ports['management']}"
        yield "management.tcp.ip = 127.0.0.1"
        if self._metrics:
            yield f"prometheus.tcp.port = {self._ports['prometheus']}"
            yield "prometheus.tcp.ip = 127.0.0.1"
        # For what its API lists, often enough; more often would cost as much as the work of a quiet market.
        yield "collect_statistics_interval = 2000"
        yield "max_message_size = 2097152"
        yield "disk_free_limit.absolute = 50MB"
        yield f"raft.wal_max_size_bytes = {32 << 20}"  # by default 512 MiB of what may be memory
        yield "log.file.level = warning"
        if self._tls:
            yield f"listeners.ssl.default = 127.0.0.1:{self._ports['amqps']}"
            yield f"ssl_options.cacertfile = {self._tls['ca']}"
            yield f"ssl_options.certfile = {self._tls['certificate']}"
            yield f"ssl_options.keyfile = {self._tls['key']}"
            yield "ssl_options.verify = verify_peer"
            yield "ssl_options.fail_if_no_peer_cert = true"
            yield "ssl_cert_login_from = common_name"
            yield "auth_mechanisms.1 = PLAIN"
            yield "auth_mechanisms.2 = EXTERNAL"


@contextmanager
def private_broker(tls: dict[str, Path] | None = None, *, metrics: bool = False) -> Iterator[PrivateBroker]:
    """A started private broker; installs the package if that is possible, else says what to do."""
    if not any(_LIBRARY.glob("rabbitmq_server-*/sbin/rabbitmq-server")):
        install(["rabbitmq-server", "openssl"], INSTRUCTIONS)
    folder = Path(tempfile.mkdtemp(prefix="deltaml-rabbitmq-", dir=folder_in_memory()))
    broker = PrivateBroker(folder, tls, metrics=metrics)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _server_script() -> Path:
    scripts = sorted(_LIBRARY.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not scripts:
        raise RuntimeError(f"there is no rabbitmq-server under {_LIBRARY}; {INSTRUCTIONS}")
    return scripts[-1]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until_served(server: Server, process: subprocess.Popen[bytes] | None, log: Path | None) -> None:
    """Wait until the management API tells of a listener for AMQP."""
    manager = HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, server.management_url, server.user, server.password)
    opener = build_opener(HTTPBasicAuthHandler(manager))
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            with opener.open(f"{server.management_url}/api/overview", timeout=5) as answer:
                if any(one["protocol"] == "amqp" for one in json.load(answer)["listeners"]):
                    return
        except (URLError, OSError, ValueError):
            pass  # not yet
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > until:
            said = log.read_text(errors="replace")[-3000:] if log is not None else ""
            raise RuntimeError(f"RabbitMQ did not start: {said}")
        time.sleep(0.1)
