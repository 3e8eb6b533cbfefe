"""A RabbitMQ for tests: one named by the environment, one in Docker, or a private one of the distribution."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tests.support.broker.private_rabbitmq import INSTRUCTIONS, Server, private_broker, wait_until_served
from tests.support.shared import shared

_IMAGE = "rabbitmq:4-management"


@dataclass(frozen=True)
class NamedBroker:
    """A broker that the environment names: others are at work on it, so it cannot be killed."""

    server: Server
    is_running: bool = True

    @classmethod
    def of_environment(cls) -> Self:
        """Raises RuntimeError where none is named."""
        return cls(_named_server())

    def start(self) -> None:
        """It runs."""

    def kill(self) -> int | None:
        """Raise RuntimeError."""
        raise RuntimeError(f"the broker at {self.server.amqp_url} is not a test's to kill")


def naming(server: Server) -> dict[str, str]:
    """The environment that names a broker to another process."""
    login = f"{quote(server.user, safe='')}:{quote(server.password, safe='')}@"
    named = {
        "DELTAML_AMQP_URL": server.amqp_url.replace("://", f"://{login}"),
        "DELTAML_AMQP_MANAGEMENT_URL": server.management_url,
    }
    metrics = server.prometheus_url
    return named if metrics is None else {**named, "DELTAML_AMQP_PROMETHEUS_URL": metrics}


@contextmanager
def running_server() -> Iterator[Server]:
    """A broker from the environment, else in Docker, else a private one."""
    with ExitStack() as stack:
        if os.environ.get("DELTAML_AMQP_URL"):
            yield _named_server()
        elif _docker_answers():
            yield stack.enter_context(_docker_server())
        else:
            yield stack.enter_context(private_broker(metrics=True)).server


@contextmanager
def shared_server(folder: Path) -> Iterator[Server]:
    """One broker for all processes of a test run, which share `folder`."""

    @contextmanager
    def start() -> Iterator[dict[str, object]]:
        with running_server() as server:
            yield asdict(server)

    with shared(folder, "rabbitmq", start) as description:
        yield Server(**description)


def _named_server() -> Server:
    amqp, management = (os.environ.get(f"DELTAML_AMQP_{name}URL", "") for name in ("", "MANAGEMENT_"))
    if not management:
        raise RuntimeError(f"DELTAML_AMQP_MANAGEMENT_URL is missing; {INSTRUCTIONS}")
    user, password = (unquote(part or "guest") for part in (urlsplit(amqp).username, urlsplit(amqp).password))
    prometheus = os.environ.get("DELTAML_AMQP_PROMETHEUS_URL")
    return Server(_bare(amqp), _bare(management), user, password, prometheus_url=prometheus)


def _bare(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, "", "", ""))


def _docker_answers() -> bool:
    """Whether somebody listens where Docker would; its client leaks a socket when nobody does."""
    place = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if place.scheme != "unix":
        return True  # named on purpose: a failure is to be seen
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(place.path) == 0


@contextmanager
def _docker_server() -> Iterator[Server]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    with DockerContainer(_IMAGE).with_exposed_ports(5672, 15672, 15692) as container:
        host = container.get_container_host_ip()
        ports = [container.get_exposed_port(port) for port in (5672, 15672, 15692)]
        # The image's guest may log in from elsewhere than loopback.
        server = Server(
            f"amqp://{host}:{ports[0]}",
            f"http://{host}:{ports[1]}",
            "guest",
            "guest",
            prometheus_url=f"http://{host}:{ports[2]}",
        )
        wait_until_served(server, None, None)
        yield server
