"""The servers of a market on one machine that are its own: a development chain and a broker.

Both listen on loopback alone and keep what they hold in the market's folder. The broker is RabbitMQ as the
system's package or Homebrew installs it, with an Erlang port mapper (epmd) of its own.
"""

import base64
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from pydantic import Field

from services.admin.broker_administrator import ADMINISTRATOR, provide_administrator
from services.admin.market_folder import BROKER_PLAN
from services.admin.market_process import Condition, MarketProcess
from services.admin.yaml_editing import set_value
from services.bus.broker.topology import MESSAGE_BYTES
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.files import private_folder, read_passphrase, write_private
from services.config.settings import Settings

CHAIN_ID = 31337
_LOOPBACK = "127.0.0.1"
_FIRST_CHAIN_PORT = 8545
_FIRST_BROKER_PORTS = {"amqp": 5672, "management": 15672, "distribution": 25672, "epmd": 4370}
_PROBE_SECONDS = 2.0
_STATE_SECONDS = 10
_DEFINITIONS = "load_definitions = {}"
_DATA_PATH = re.compile(rb'\bdata_dir =>\s*"(/[^"]*)"')
"""Where a quorum queue keeps its log, as it notes it in its configuration, where that is a whole path."""
_DISTRIBUTION = Path("/usr/lib/rabbitmq/lib")
"""Where Debian's package has the script that any user may run."""
_SOURCES = Path(__file__).parents[2] / "contracts" / "node_modules" / "@foundry-rs"
"""Where `make development` puts anvil."""


class BrokerPorts(Settings):
    """Ports of a broker that is the market's own."""

    amqp: int
    management: int
    distribution: int
    epmd: int


class OwnServers(Settings):
    """Which servers are the market's own; None where another's is used."""

    chain_port: int | None = None
    block_seconds: float = Field(1.0, gt=0, le=60)
    broker: BrokerPorts | None = None

    @property
    def chain_url(self) -> str:
        """Where the chain answers."""
        return f"http://{_LOOPBACK}:{self.chain_port}"

    @property
    def broker_url(self) -> str:
        """Where the broker's clients connect."""
        return "" if self.broker is None else f"amqp://{_LOOPBACK}:{self.broker.amqp}"

    @property
    def management_url(self) -> str:
        """Where the broker is administered."""
        return "" if self.broker is None else f"http://{_LOOPBACK}:{self.broker.management}"


def chosen_servers(*, chain: bool, broker: bool, block_seconds: float) -> OwnServers:
    """Servers on ports that are free now.

    Raises ConfigurationError where a program is missing.
    """
    _require_programs(chain=chain, broker=broker)
    own = OwnServers(block_seconds=block_seconds)
    if chain:
        own = own.model_copy(update={"chain_port": free_ports(_FIRST_CHAIN_PORT)[0]})
    if broker:
        ports = BrokerPorts(**{name: free_ports(first)[0] for name, first in _FIRST_BROKER_PORTS.items()})
        own = own.model_copy(update={"broker": ports})
    return own


def free_ports(first: int, count: int = 1, taken: Iterable[int] = ()) -> range:
    """So many consecutive ports, the first from `first` on, that nobody listens on and are not `taken`."""
    excluded = set(taken)
    for begin in range(first, 65536 - count):
        ports = range(begin, begin + count)
        if not excluded.intersection(ports) and all(map(_is_free, ports)):
            return ports
    raise ConfigurationError(f"there are no {count} free ports from {first} on: name others")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


def server_processes(folder: Path, own: OwnServers) -> list[MarketProcess]:
    """The market's own servers, in the order in which they start."""
    chain = [] if own.chain_port is None else [_chain(folder, own, own.chain_port)]
    return chain if own.broker is None else [*chain, *_broker(folder, own, own.broker)]


def _chain(folder: Path, own: OwnServers, port: int) -> MarketProcess:
    place = private_folder(folder / "chain")
    mining = ("--chain-id", str(CHAIN_ID), "--block-time", f"{own.block_seconds:g}")
    kept = ("--state", str(place / "state.json"), "--state-interval", str(_STATE_SECONDS), "--quiet")
    return MarketProcess(
        name="chain",
        role="test chain",
        command=(_anvil() or "anvil", "--host", _LOOPBACK, "--port", str(port), *mining, *kept),
        folder=place,
        url=own.chain_url,
        probe=lambda: _answers(own.chain_url),
    )


def _broker(folder: Path, own: OwnServers, ports: BrokerPorts) -> list[MarketProcess]:
    place = folder / "broker"
    mapper = ("-address", _LOOPBACK, "-port", str(ports.epmd))
    environment = _broker_environment(place, ports)
    return [
        MarketProcess(
            name="broker-names",
            role="broker's port mapper",
            command=(shutil.which("epmd") or "epmd", *mapper),
            folder=place,
            url=f"{_LOOPBACK}:{ports.epmd}",
            environment=environment,
            probe=lambda: _listens(ports.epmd),
        ),
        MarketProcess(
            name="broker",
            role="broker",
            command=(_rabbitmq() or "rabbitmq-server",),
            folder=place,
            url=own.broker_url,
            environment=environment,
            probe=lambda: _serves(own.management_url, administrator_password(folder)),
        ),
    ]


def administrator_password(folder: Path) -> Path:
    """The file with the password of the own broker's administrator."""
    return folder / "broker" / "administrator" / "password"


def prepare_servers(folder: Path, own: OwnServers) -> None:
    """Make what the market's own servers read at their start; what is there stays.

    Raises ConfigurationError where a server's program is missing.
    """
    _require_programs(chain=own.chain_port is not None, broker=own.broker is not None)
    if own.broker is not None:
        _prepare_broker(folder, own.broker)


def _prepare_broker(folder: Path, ports: BrokerPorts) -> None:
    place = private_folder(folder / "broker")
    _, definitions = provide_administrator(private_folder(place / "administrator"), ADMINISTRATOR)
    files = {
        "rabbitmq.conf": "".join(f"{line}\n" for line in _broker_configuration(ports, definitions)),
        "plugins": "[rabbitmq_management].\n",
        "environment.conf": "",
        ".erlang.cookie": secrets.token_hex(16),
    }
    for name, text in files.items():
        if not (place / name).exists():
            write_private(place / name, text.encode())
    _require_queues_here(place)
    _renew_definitions(place / "rabbitmq.conf", definitions)
    _renew_administrator(folder)


def _require_queues_here(place: Path) -> None:
    """Raise ConfigurationError where queues of an earlier version, which noted its whole path, were moved."""
    data = f"{place / 'data'}/"
    for config in place.glob("data/*/quorum/*/*/config"):
        noted = _DATA_PATH.search(config.read_bytes())
        before = "" if noted is None else noted[1].decode("utf-8", "replace")
        if not data.startswith(before) and not before.startswith(data):  # a long one is broken into lines
            raise ConfigurationError(
                f"the queues in {place} were made by an earlier version, which noted where: {before}; move "
                "the market's folder back there, or set up a new one"
            )


def _renew_administrator(folder: Path) -> None:
    """Earlier versions named the administrator's password by its whole path, in the broker's document too."""
    file, password = folder / BROKER_PLAN, administrator_password(folder)
    if not file.exists():
        return
    management = dict(read_yaml(file).get("management") or {})
    written = Path(str(management.get("password_file", "")))
    ending = password.relative_to(folder)
    if written.is_absolute() and not written.exists() and written.parts[-len(ending.parts) :] == ending.parts:
        set_value(file, "management", {**management, "password_file": str(ending)})


def _renew_definitions(configuration: Path, definitions: Path) -> None:
    """The one line that names a path is renewed: the market's folder may have been moved."""
    before = configuration.read_text()
    line = _DEFINITIONS.format(definitions)
    lines = [line if one.startswith(_DEFINITIONS.format("")) else one for one in before.splitlines()]
    after = "".join(f"{one}\n" for one in lines)
    if after != before:
        write_private(configuration, after.encode())


def _broker_configuration(ports: BrokerPorts, definitions: Path) -> Iterable[str]:
    """As deploy/rabbitmq/rabbitmq.conf, for loopback and a disk that others fill, too."""
    yield _DEFINITIONS.format(definitions)
    yield f"listeners.tcp.default = {_LOOPBACK}:{ports.amqp}"
    yield f"management.tcp.port = {ports.management}"
    yield f"management.tcp.ip = {_LOOPBACK}"
    yield f"max_message_size = {MESSAGE_BYTES}"
    yield "channel_max = 32"
    yield "disk_free_limit.absolute = 200MB"
    yield "log.file = false"
    yield "log.console = true"
    yield "log.console.level = warning"


def _broker_environment(place: Path, ports: BrokerPorts) -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(place),
        "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the broker instead of its parent
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": _LOOPBACK,
        "RABBITMQ_CONF_ENV_FILE": str(place / "environment.conf"),
        "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
        "RABBITMQ_NODENAME": f"deltaml-{ports.amqp}@localhost",
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_MNESIA_BASE": "data",  # its queues note it: a whole path would not bear that it is moved
        "RABBITMQ_LOG_BASE": str(place / "log"),
        # One scheduler that does not spin while it waits: the daemons need the cores.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
        "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _require_programs(*, chain: bool, broker: bool) -> None:
    if chain and _anvil() is None:
        raise ConfigurationError(
            "a test chain of the market's own needs anvil, and there is none: install Foundry "
            "(https://getfoundry.sh), or name a node with --chain"
        )
    if broker and (_rabbitmq() is None or shutil.which("epmd") is None):
        raise ConfigurationError(
            "a broker of the market's own needs RabbitMQ, and there is none: install it (apt-get install "
            "rabbitmq-server, brew install rabbitmq), or name one with --broker"
        )


def _anvil() -> str | None:
    return shutil.which("anvil") or max(map(str, _SOURCES.glob("anvil-*/bin/anvil")), default=None)


def _rabbitmq() -> str | None:
    # Debian's command on the path is for root and the service's user alone.
    scripts = map(str, _DISTRIBUTION.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return max(scripts, default=None) or shutil.which("rabbitmq-server")


def _listens(port: int) -> Condition:
    with socket.socket() as probe:
        probe.settimeout(_PROBE_SECONDS)
        return Condition("healthy" if probe.connect_ex((_LOOPBACK, port)) == 0 else "starting")


def _answers(chain_url: str) -> Condition:
    question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    said = _ask(Request(chain_url, question, {"Content-Type": "application/json"}))  # noqa: S310  our own
    return Condition("healthy" if "result" in said else "starting")


def _serves(management_url: str, password_file: Path) -> Condition:
    """Whether the broker has a listener for its clients."""
    login = base64.b64encode(f"{ADMINISTRATOR}:{read_passphrase(password_file)}".encode()).decode()
    said = _ask(Request(f"{management_url}/api/overview", None, {"Authorization": f"Basic {login}"}))  # noqa: S310
    serves = any(one.get("protocol") == "amqp" for one in said.get("listeners", ()))
    return Condition("healthy" if serves else "starting")


def _ask(request: Request) -> Mapping[str, Any]:
    """The JSON object that a server of ours answers; nothing where it does not."""
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_PROBE_SECONDS) as answer:
            said = json.loads(answer.read())
    except (URLError, OSError, HTTPException, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
