"""A whole market in one process: every role's daemon on an embedded bus, an embedded chain or a node.

The daemons are those of production; what is embedded are the broker, the databases (in memory unless a folder
is given) and, without a URL, the chain.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from protocol.asset import ETHER
from protocol.crypto.cipher import generate_private_key
from protocol.learning.statistic import Statistic
from protocol.marketplace import PartyRole
from protocol.messages import ChainEvent, TrainingOrder
from protocol.owner_policy import LARGEST_LIMIT, Budget, OwnerPolicy
from protocol.request import LEAST_KEY_BITS, Request
from services.bus.memory import MemoryBroker
from services.bus.open_bus import open_bus
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.deploy import Deployment, deploy
from services.chain.events.event_outbox import EventOutbox, Stream
from services.chain.events.listener import ChainListener
from services.chain.rpc.http import Rpc
from services.config.daemons import Broker
from services.identity.keys import Identity
from services.identity.signing import order_to_self
from services.observability.counters import Meter
from services.observability.prometheus import Observed
from services.participants.assembly import (
    AggregatorSetup,
    Assembly,
    BuyerSetup,
    OwnerSetup,
    Participant,
    Setup,
)
from services.sandbox.task_set import TaskSet
from services.store import Store

OpenChain = Callable[[tuple[str, ...], int], Awaitable[Rpc]]
"""Connect to a chain on which each of these accounts has at least so much of its coin."""

_GAS_ALLOWANCE = 10 * ETHER.whole
_UNLIMITED = Budget(per_buyer=LARGEST_LIMIT, in_total=LARGEST_LIMIT)
"""Owners in one process with the buyer have nothing to hide from it."""


class EphemeralKeys:
    """Paillier keys that live as long as the process."""

    def __init__(self, meter: Meter) -> None:
        """An empty store."""
        self._keys: dict[str, bytes] = {}
        self._meter = meter

    def paillier(self, label: str, bits: int) -> bytes:
        """The key of this label (`PrivateKey.to_bytes`), made on first use."""
        if label not in self._keys:
            with self._meter.phase("keys"):
                self._keys[label] = generate_private_key(bits).to_bytes()
        return self._keys[label]


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """How a market in one process runs.

    `broker` is the AMQP URL of a login that may configure, None for the embedded bus; `folder` keeps every
    party's database, None keeps them in memory.
    """

    chain: OpenChain
    deposit: int
    broker: str | None = None
    workers: int | None = None
    folder: Path | None = None
    least_key_bits: int = LEAST_KEY_BITS
    on_event: Callable[[ChainEvent], None] = field(default=lambda _event: None)
    on_change: Callable[[str], None] = field(default=lambda _address: None)
    """Told the address of a party whose daemon has done something."""


class LocalMarket:
    """Buyer, aggregator and owners; an async context that ends with every daemon stopped."""

    def __init__(self, data_sets: Mapping[str, Statistic], settings: MarketSettings) -> None:
        """One owner for each named statistic."""
        self._data_sets, self._settings = data_sets, settings
        self.meter = Meter()
        self.broker = MemoryBroker()
        self._assembly = Assembly(settings.workers, self.meter, least_key_bits=settings.least_key_bits)
        self.keys = EphemeralKeys(self.meter)
        self.buyer: Participant
        self.aggregator: Participant
        self.owners: list[Participant] = []
        self.deployment: Deployment
        self.observed: list[Observed] = []
        self.changed = asyncio.Event()
        self._tasks = TaskSet(self.changed)
        self._amqp: Broker | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def parties(self) -> tuple[Participant, ...]:
        """Buyer, aggregator, owners."""
        return (self.buyer, self.aggregator, *self.owners)

    async def order(self, request: Request) -> str:
        """Put a training order on the buyer's own queue; returns the instance's key."""
        order = order_to_self(self.buyer.identity, "model_buyer", TrainingOrder(request=request))
        await self.buyer.bus.publish(order)
        return f"order:{order.envelope.message_id.hex()}"

    def _tell(self, address: str) -> None:
        self.changed.set()
        self._settings.on_change(address)

    async def wait_for(self, done: Callable[[], bool]) -> None:
        """Until `done`, looked at whenever a daemon has done something; raises what a daemon died of."""
        while not done():
            self.changed.clear()
            await self.changed.wait()
            self._tasks.check()

    # ---- starting ----

    async def _start(self) -> None:
        self._stack.callback(self._assembly.pool.close)
        self._assembly.pool.start()
        identities = [Identity(os.urandom(32), os.urandom(32)) for _ in range(2 + len(self._data_sets))]
        with self.meter.phase("start"):
            await self._declare_queues(identities)
            needed = self._settings.deposit + _GAS_ALLOWANCE
            rpc = await self._settings.chain(tuple(identity.address for identity in identities), needed)
            self._stack.push_async_callback(rpc.close)
            self.deployment = await deploy(rpc, identities[1].signing_key)
            self._open_participants(rpc, *identities)
            await asyncio.gather(*(party.register() for party in self.parties))
        self._follow_chain(rpc)
        self._stack.push_async_callback(self._tasks.stop)
        for party in self.parties:
            self._tasks.start(party.run())
        # Invitations go to those whom the aggregator has taken.
        await self.wait_for(lambda: all(owner.is_introduced() for owner in self.owners))

    def _open_participants(self, rpc: Rpc, buyer: Identity, aggregator: Identity, *owners: Identity) -> None:
        admitted = frozenset(owner.address for owner in owners)
        self.buyer = self._participant(buyer, rpc, BuyerSetup(self.keys))
        self.aggregator = self._participant(aggregator, rpc, AggregatorSetup(admitted))
        self.owners = [
            self._participant(owner, rpc, self._owner_setup({name: statistic}))
            for owner, (name, statistic) in zip(owners, self._data_sets.items(), strict=True)
        ]

    def _owner_setup(self, data_sets: Mapping[str, Statistic]) -> OwnerSetup:
        policy = OwnerPolicy(automatic=True, budget=_UNLIMITED)
        return OwnerSetup((self.aggregator.identity.address,), policy, lambda: data_sets)

    def _participant(self, identity: Identity, rpc: Rpc, setup: Setup) -> Participant:
        market, first_block = self.deployment.market, self.deployment.block
        address = identity.address
        store = Store(self._store_url(setup.role, address), exclusive=True)
        self._stack.callback(store.close)
        client = MarketplaceClient(rpc, market, identity.signing_key, first_block=first_block)
        bus = self._open_bus(setup.role, address)
        self._stack.push_async_callback(bus.close)
        self.observed.append(Observed(setup.role, address, store, bus))
        return self._assembly.participant(
            setup,
            identity,
            store=store,
            bus=bus,
            client=client,
            final=client,
            on_change=lambda: self._tell(address),
        )

    async def _declare_queues(self, identities: Sequence[Identity]) -> None:
        """On a real broker the queues exist before anybody reads or writes."""
        if self._settings.broker is None:
            return
        from services.bus.broker.declaration import declared  # noqa: PLC0415  aio-pika is not for the embedded bus

        kinds: list[PartyRole] = ["model_buyer", "federated_aggregator"]
        kinds += ["data_owner"] * len(self._data_sets)
        places = [(kind, identity.address) for kind, identity in zip(kinds, identities, strict=True)]
        self._amqp = await self._stack.enter_async_context(declared(self._settings.broker, places))

    def _open_bus(self, kind: PartyRole, address: str) -> Bus:
        if self._amqp is None:
            self.broker.declare(kind, address)
        return open_bus(self._amqp or self.broker)

    def _store_url(self, kind: str, address: str) -> str:
        folder = self._settings.folder
        return "sqlite://" if folder is None else f"sqlite:///{folder / f'{kind}-{address[2:10]}.sqlite'}"

    def _follow_chain(self, rpc: Rpc) -> None:
        """One listener for everybody: on an embedded chain, and on a test node, each block is final."""
        market, first_block = self.deployment.market, self.deployment.block
        store = Store(self._store_url("chain_listener", market.contract), exclusive=True)
        self._stack.callback(store.close)
        outbox = EventOutbox(store, market)
        listener = ChainListener(
            rpc, market, outbox, confirmations=0, first_block=first_block, poll_seconds=0.2
        )
        self._tasks.start(listener.run())
        self._tasks.start(outbox.run(self._publish))

    async def _publish(self, stream: Stream, event: ChainEvent) -> None:
        await self.aggregator.bus.publish_event(event, stream)
        if stream == "confirmed":
            self._settings.on_event(event)
