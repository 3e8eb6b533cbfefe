"""A market of separate processes, as operators run it: broker, node, listener, buyer, aggregator, owners."""

import asyncio
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path
from typing import Any, Self

import aiohttp
import sqlalchemy as sa
import yaml

from protocol.learning.statistic import Matrix, StatisticBuilder
from protocol.records import Market
from protocol.signatures import address_of
from services.chain.contract.deploy import deploy
from services.chain.rpc.http import HttpRpc
from services.common.errors import ConfigurationError, StoreInUse, StoreUnavailable
from services.data import samples
from services.data.catalog import Catalog
from services.identity.keystore import Cost, Keystore
from services.store import Store
from tests.support.broker.amqp_market import AmqpMarket, amqp_market
from tests.support.broker.rabbitmq import Server
from tests.support.chain.anvil import running_anvil

CHEAP = Cost(scrypt_n=2, argon_passes=1, argon_bytes=8192)
WEI = 10**20
CONFIRMATIONS = 2
KINDS = {"model_buyer": "model-buyer", "federated_aggregator": "aggregator", "data_owner": "data-owner"}
TWO_FEATURES: dict[str, Any] = {
    "data": Path(samples.__file__).with_name("diabetes.csv"),
    "columns": "bmi,s5,target",
    "target": "target",
}
"""Little of the diabetes data, as options of the demo: rounds of so few take a processor little time."""
_ROLES = {"buyer": "model_buyer", "aggregator": "federated_aggregator", "owner": "data_owner"}


class DaemonProcess:
    """One daemon; its output goes to a file."""

    def __init__(self, name: str, kind: str, config: Path) -> None:
        self.name, self.kind, self.config = name, kind, config
        self.log = config.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*deltaml(), self.kind, "--config", str(self.config)], stdout=output, stderr=output
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(300)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(300)


class DaemonMarket:
    """Everything in `folder`; an async context in which the daemons run."""

    node_options: tuple[str, ...] = ("--block-time", "1")
    key_bits = 2048
    workers = 1

    def __init__(self, folder: Path, server: Server, columns, parts) -> None:
        self._moved: dict[str, str] = {}
        self.folder, self.server, self.columns, self.parts = folder, server, columns, parts
        self._stack, self._async_stack = ExitStack(), AsyncExitStack()
        self.daemons: dict[str, DaemonProcess] = {}
        self.addresses: dict[str, str] = {}
        self.metrics_ports: dict[str, int] = {}
        self.broker: AmqpMarket
        self.node_url = ""

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        for daemon in self.daemons.values():
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()
        await self._async_stack.aclose()
        self._stack.close()

    @property
    def owners(self) -> list[str]:
        return [name for name in self.addresses if name.startswith("owner")]

    def names(self) -> list[str]:
        """The parties; a name begins with its role's."""
        return ["buyer", "aggregator", *(f"owner-{number}" for number in range(1, len(self.parts) + 1))]

    def store(self, name: str) -> Store:
        """A daemon's store, opened beside it; close it. The daemon makes it, soon after it was started."""
        until = time.monotonic() + 240
        while True:
            try:
                return Store(self.store_url(name), existing=True)
            except (ConfigurationError, StoreUnavailable):
                process = self.daemons[name].process
                if time.monotonic() > until or (process is not None and process.poll() is not None):
                    raise
                time.sleep(0.2)

    def store_url(self, name: str) -> str:
        """The URL of a daemon's store, with the password if there is one."""
        return self._moved.get(name) or f"sqlite:///{self.folder / name}.sqlite"

    def move(self, name: str, url: str) -> None:
        """Have a daemon use another store from its next start on."""
        self._moved[name] = url
        document = yaml.safe_load(self.config(name).read_text())
        self.config(name).write_text(yaml.safe_dump({**document, **self._store_settings(name)}))

    def shown(self, name: str) -> list[str]:
        with closing(self.store(name)) as store:
            return [row.display_status for row in store.instances()]

    async def until(self, condition, seconds: float = 600.0) -> None:
        """Wait; on time-out the daemons' last words are in the error."""
        deadline = time.monotonic() + seconds
        while not condition():
            for daemon in self.daemons.values():
                if daemon.process is not None and daemon.process.poll() not in (None, -signal.SIGKILL):
                    raise AssertionError(f"{daemon.name} ended:\n{self.tail(daemon)}")
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(self.tail(daemon) for daemon in self.daemons.values()))
            await asyncio.sleep(0.2)

    def tail(self, daemon: DaemonProcess) -> str:
        lines = daemon.log.read_text().splitlines()[-15:]
        return f"== {daemon.name}\n" + "\n".join(lines)

    def command(self, *arguments: str) -> dict:
        """A `deltaml` command's JSON."""
        done = subprocess.run(
            [*deltaml(), *arguments, "--json"], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def introduced(self) -> None:
        """Wait until the aggregator knows every owner."""

        def known() -> bool:
            try:
                store = self.store("aggregator")
            except StoreInUse:  # its daemon is making it just now
                return False
            try:
                return len(store.values("announced:")) == len(self.owners)
            finally:
                store.close()

        await self.until(known)

    async def scrape(self, name: str) -> str:
        """A daemon's metrics."""
        url = f"http://127.0.0.1:{self.metrics_ports[name]}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    def config(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"

    @property
    def market(self) -> Market:
        return Market(chain_id=31337, contract=self.contract)

    # ---- starting ----

    async def _start(self) -> None:
        self.node_url = self._stack.enter_context(running_anvil(*self.node_options))
        self._passphrase()
        for name in self.names():
            keystore = Keystore.create(self.folder / f"{name}-keys", "a passphrase of tests", cost=CHEAP)
            self.addresses[name] = keystore.identity.address
        self.contract, self.first_block = await self._deploy()
        places = [(self._role(name), address) for name, address in self.addresses.items()]
        self.broker = await self._async_stack.enter_async_context(
            amqp_market(self.server, places, self.folder)
        )
        for name, part in zip(self.owners, self.parts, strict=True):
            self._catalogue(name, part)
        self._configure("listener", "chain-listener", self.broker.listener, {})
        for name in self.names():
            self._configure(name, KINDS[self._role(name)], self.addresses[name], self._own(name))
        for daemon in self.daemons.values():
            daemon.start()

    def _role(self, name: str) -> str:
        return _ROLES[name.partition("-")[0]]

    def _passphrase(self) -> None:
        file = self.folder / "passphrase"
        file.write_text("a passphrase of tests\n")
        file.chmod(0o600)

    async def _deploy(self) -> tuple[str, int]:
        async with HttpRpc(self.node_url) as rpc:
            key = secrets.token_bytes(32)
            for address in (address_of(key), *self.addresses.values()):
                await rpc.call("anvil_setBalance", address, hex(WEI))
            deployment = await deploy(rpc, key)
            return deployment.market.contract, deployment.block

    def _catalogue(self, name: str, part) -> None:
        builder = StatisticBuilder(self.columns)
        builder.add(part)
        Catalog(self.folder / f"{name}-data").add("rows", builder.finish(), "rows.csv")

    def _own(self, name: str) -> dict:
        keys = {"keystore": f"{name}-keys", "passphrase_file": "passphrase"}
        keys |= {"workers": self.workers}
        if name == "aggregator":
            keys["admitted"] = [self.addresses[owner] for owner in self.owners]
        if name.startswith("owner"):
            keys["catalogue"] = f"{name}-data"
            keys["aggregators"] = [self.addresses["aggregator"]]
            budget = {"per_buyer": 1000, "in_total": 1000}
            keys["policy"] = {"automatic": True, "minimum_reveal_s": 1, "budget": budget}
        return keys

    def _configure(self, name: str, kind: str, user: str, own: dict) -> None:
        broker = self.broker.config(user)
        document = {
            "daemon": kind,
            "broker": {"url": broker.url, "password_file": str(broker.password_file)},
            "chain": {
                "url": self.node_url,
                "chain_id": 31337,
                "contract": self.contract,
                "first_block": self.first_block,
                "confirmations": CONFIRMATIONS,
                "poll_seconds": 0.2,
            },
            **self._store_settings(name),
            "metrics_port": self.metrics_ports.setdefault(name, free_port()),
            **own,
        }
        self.config(name).write_text(yaml.safe_dump(document))
        self.daemons[name] = self._daemon(name, kind)

    def _store_settings(self, name: str) -> dict:
        url = sa.make_url(self.store_url(name))
        settings = {"store": url._replace(password=None).render_as_string()}
        if url.password is not None:
            secret = self.folder / f"{name}-store-password"
            secret.touch(mode=0o600)
            secret.write_text(f"{url.password}\n")
            settings["store_password_file"] = str(secret)
        return settings

    def _daemon(self, name: str, kind: str) -> DaemonProcess:
        return DaemonProcess(name, kind, self.config(name))


def write_request(
    market: DaemonMarket,
    *,
    rounds: int,
    local_steps: int = 5,
    minimum: int = 5,
    maximum: int = 5,
    join_s: int = 120,
    key_bits: int | None = None,
    training: str = "separate processes",
) -> Path:
    """A request for the market's data, in its folder; its key is as long as the market's unless said."""
    columns = market.columns
    document = {
        "name": training,
        "features": [{"name": name, "minimum": "-1", "maximum": "1"} for name in columns[:-1]],
        "target": {"name": columns[-1], "minimum": "0", "maximum": "400"},
        "model": {"l2": 0},
        "scale": "range",
        "schedule": {"rounds": rounds, "local_steps": local_steps, "step_size": "1.5", "tolerance": 0},
        "owners": {"minimum": minimum, "maximum": maximum},
        "payment": {"deposit_wei": str(10**18)},
        "aggregator": market.addresses["aggregator"],
        "deadlines": {"join_s": join_s, "step_s": 120, "chain_s": 120},
        "key_bits": key_bits or market.key_bits,
    }
    path = market.folder / "request.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def two_features() -> tuple[tuple[str, ...], Matrix]:
    """The diabetes data with two of their features: a round of so few takes a processor little time."""
    columns, rows = samples.diabetes()
    chosen = [columns.index("bmi"), columns.index("s5"), len(columns) - 1]
    return tuple(columns[place] for place in chosen), rows[:, chosen]


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def deltaml() -> list[str]:
    """The command, from the package under test."""
    return [sys.executable, "-c", "from services.cli import main; main()"]
