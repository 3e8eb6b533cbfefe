"""A market of separate processes that lives through many trainings, each under a fault of its own.

Every daemon reaches broker and node through proxies, one for each link.
"""

import asyncio
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml

from protocol.messages import TrainingOrder
from protocol.request import Request
from protocol.request_parsing import parse_request
from services.identity.keystore import Keystore
from services.identity.signing import order_to_self
from tests.faults.node import Node
from tests.faults.node_proxy import NodeProxy
from tests.faults.processes import ForkedDaemon
from tests.faults.proxy import LinkProxy
from tests.faults.traffic import Traffic
from tests.support.broker.amqp_market import amqp_market
from tests.support.broker.private_rabbitmq import PrivateBroker
from tests.support.broker.rabbitmq import NamedBroker
from tests.support.daemons.daemon_market import CHEAP, CONFIRMATIONS, KINDS, DaemonMarket
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

OWNERS = 6
BOUND_SECONDS = 450.0
"""In which every training under a fault must have come to an end, with everything handed over."""

_LEDGER = """
CREATE TABLE IF NOT EXISTS processed (input_id BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS note_processed AFTER UPDATE OF done ON inbox WHEN NEW.done
BEGIN INSERT INTO processed VALUES (NEW.input_id); END;
"""
"""Written in the transaction that marks an input done: what is processed twice is there twice."""


_CHECKED = {"scale": "range", "key_bits": 1024, "bounds": {"min_rows": 5}}
"""What a request needs so that its rounds can be checked."""


@dataclass
class Training:
    """One training that was ordered."""

    request: Request
    key: str
    mark: int
    number: int = 0


class FaultMarket(DaemonMarket):
    """Nine daemons, a node that can be killed, and mostly a broker of its own that can be, too."""

    workers = 0

    def __init__(
        self,
        folder: Path,
        broker: PrivateBroker | NamedBroker,
        *,
        patient: bool = False,
    ) -> None:
        """With `patient` the daemons wait for others as long as in production."""
        super().__init__(folder, broker.server, COLUMNS, small_data(OWNERS))
        self.rabbitmq, self.patient = broker, patient
        self.node = Node(folder)
        self.node_proxy = NodeProxy(self.node.url)
        self.links: dict[tuple[str, str], LinkProxy] = {}
        self.traffic: Traffic
        self.blamed: set[str] = set()
        self.lost: set[str] = set()
        self.spent = False
        self.letters: list[tuple[str, str, str]] = []

    async def __aexit__(self, *_error: object) -> None:
        for daemon in self.daemons.values():
            daemon.close()
        self.node.end()  # before anything is awaited: what is cancelled meanwhile would leave it running
        for link in self.links.values():
            await link.close()
        await self.node_proxy.close()
        if hasattr(self, "traffic"):
            await self.traffic.close()
        with suppress(Exception):  # the broker may be the one that a fault has taken
            await self._async_stack.aclose()
        await self.node.close()
        self._stack.close()

    # ---- starting ----

    async def _start(self) -> None:
        await self.node.start()
        await self.node_proxy.start()
        self.node_url = self.node.url
        names = ["buyer", "aggregator", *(f"owner-{number}" for number in range(1, OWNERS + 1))]
        self._passphrase()
        for name in names:
            keystore = Keystore.create(self.folder / f"{name}-keys", "a passphrase of tests", cost=CHEAP)
            self.addresses[name] = keystore.identity.address
        self.identity = Keystore.open(self.folder / "buyer-keys", "a passphrase of tests").identity
        self.contract, self.first_block = await self._deploy()
        places = [(self._role(name), address) for name, address in self.addresses.items()]
        self.broker = await self._async_stack.enter_async_context(
            amqp_market(self.server, places, self.folder)
        )
        self.traffic = Traffic(self.broker)
        await self.traffic.start()
        self._orders = self.broker.bus(self.addresses["buyer"])
        for name, part in zip(self.owners, self.parts, strict=True):
            self._catalogue(name, part)
        for name in ("listener", *names):
            await self._link(name)
            kind = "chain-listener" if name == "listener" else KINDS[self._role(name)]
            self._configure(name, kind, self.user_of(name), {} if name == "listener" else self._own(name))
        for daemon in self.daemons.values():
            daemon.start()
        await self.introduced()
        for name in names:
            with sqlite3.connect(self.folder / f"{name}.sqlite") as connection:
                connection.executescript(_LEDGER)
            connection.close()

    async def introduced(self) -> None:
        """Wait until the aggregator knows every owner, and the owners that it does."""
        async with asyncio.timeout(400):
            while not all(
                [self._values("aggregator", "announced:") == OWNERS, *map(self._answered, self.owners)]
            ):
                self.check_daemons()
                await asyncio.sleep(0.1)

    def _answered(self, owner: str) -> bool:
        return self._values(owner, "aggregator:") == 1

    def _values(self, name: str, prefix: str) -> int:
        with suppress(sqlite3.OperationalError):  # its store is being made
            query = "SELECT count(*) FROM role_values WHERE name LIKE ?"
            return int(self.rows(name, query, f"{prefix}%")[0][0])
        return 0

    def user_of(self, name: str) -> str:
        return self.broker.listener if name == "listener" else self.addresses[name]

    def role_of(self, name: str) -> str:
        return self._role(name)

    async def _link(self, name: str) -> None:
        port = int(self.server.amqp_url.rsplit(":", 1)[1])
        for server, target in (("broker", port), ("node", self.node.port)):
            link = self.links[name, server] = LinkProxy(target)
            await link.start()

    def _configure(self, name: str, kind: str, user: str, own: dict) -> None:
        broker = self.broker.config(user)
        link = f"127.0.0.1:{self.links[name, 'broker'].port}"
        document = {
            "daemon": kind,
            "broker": {
                "url": broker.url.replace(self.server.amqp_url.removeprefix("amqp://"), link),
                "password_file": str(broker.password_file),
            },
            "chain": {
                "url": f"http://127.0.0.1:{self.links[name, 'node'].port}",
                "chain_id": 31337,
                "contract": self.contract,
                "first_block": self.first_block,
                "confirmations": CONFIRMATIONS,
                "poll_seconds": 0.2,
            },
            "store": f"{name}.sqlite",
            **own,
        }
        self.config(name).write_text(yaml.safe_dump(document))
        self.daemons[name] = ForkedDaemon(name, self.config(name), patient=self.patient)

    # ---- a training ----

    async def order(self, chance: Random, *, rounds: int = 2, **deadlines: int) -> Training:
        """Order a training as `deltaml train` does."""
        document = small_request(
            name=f"fault {chance.randrange(1 << 60)}",
            aggregator=self.addresses["aggregator"],
            model={"l2": 0},
            **_CHECKED,
            schedule={"rounds": rounds, "local_steps": 2, "step_size": "0.05", "tolerance": 0},
            owners={"minimum": 4, "maximum": OWNERS},
            deadlines={"join_s": 60, "reveal_s": 15, "step_s": 15, "chain_s": 5, **deadlines},
        )
        request = parse_request(document)
        order = order_to_self(self.identity, self.market, "model_buyer", TrainingOrder(request=request))
        training = Training(request, f"order:{order.envelope.message_id.hex()}", len(self.traffic.seen))
        await self._orders.publish(order)
        return training

    def rows(self, name: str, query: str, *values: object) -> list[tuple]:
        """Read a daemon's store beside it."""
        connection = sqlite3.connect(f"file:{self.folder / name}.sqlite?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def shown_of(self, name: str, training: Training) -> tuple[str, bool]:
        """(what people see, whether it is final) at one participant; ("", False) before it knows."""
        if name == "buyer":
            where, value = "key", training.key
        else:
            where, value = "training", training.number
        found = self.rows(name, f"SELECT shown, finished, training FROM instances WHERE {where} = ?", value)
        if not found:
            return "", False
        if name == "buyer" and found[0][2] is not None:
            training.number = found[0][2]
        return found[0][0], bool(found[0][1])

    async def ended(self, training: Training, seconds: float = BOUND_SECONDS) -> dict[str, str]:
        """What each participant shows at the end; waits until all are there and nothing waits anywhere."""
        until = time.monotonic() + seconds
        while unready := self._unready(training):
            self.check_daemons()
            if time.monotonic() > until:
                logs = "\n".join(daemon.tail() for daemon in self.daemons.values())
                shown = {name: self.shown_of(name, training) for name in self.addresses}
                waiting = {name: self._waiting(name, training) for name in self.addresses}
                raise AssertionError(f"{unready} stuck after {seconds} s: {shown}, waiting {waiting}\n{logs}")
            await asyncio.sleep(0.25)
        self.check_daemons()
        return {name: self.shown_of(name, training)[0] for name in self.addresses}

    def _unready(self, training: Training) -> str:
        """Somebody who is not at the end or has something waiting; "" if there is nobody.

        The buyer's store is looked at first: mostly it tells that there is no need to open the others.
        """
        running = (name for name in self.addresses if not self.shown_of(name, training)[1])
        waiting = (name for name in self.addresses if self._waiting(name, training))
        return next(running, "") or next(waiting, "")

    def _waiting(self, name: str, training: Training) -> int:
        key = training.key if name == "buyer" else str(training.number)
        query = (
            "SELECT (SELECT count(*) FROM inbox WHERE key = ? AND NOT done), (SELECT count(*) FROM outbox)"
        )
        return sum(self.rows(name, query, key)[0])

    def check_daemons(self) -> None:
        """No daemon may end that nobody killed; those in `blamed` a fault may have made to."""
        for name, daemon in self.daemons.items():
            if daemon.exit_code is not None and name not in self.blamed:
                raise AssertionError(f"{name} ended by itself\n{daemon.tail(40)}")

    async def restart(self, name: str, pause: float = 0.0) -> None:
        """Start a daemon that is dead."""
        await asyncio.sleep(pause)
        self.daemons[name].start()
        self.blamed.discard(name)

    async def died(self, name: str, seconds: float = 120.0) -> None:
        """Wait for a daemon to be killed by its switchboard."""
        async with asyncio.timeout(seconds):
            while self.daemons[name].exit_code is None:
                await asyncio.sleep(0.02)
