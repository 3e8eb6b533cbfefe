"""A whole market in one process: every role's daemon on an embedded bus, an embedded chain or a node.

The daemons are those of production; what is embedded are the broker, the databases (in memory unless a folder
is given) and, without a URL, the chain.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from protocol.asset import ETHER, NO_TOKENS, Assets
from protocol.crypto.cipher import generate_private_key
from protocol.data_set import DataSet
from protocol.marketplace import PartyRole
from protocol.messages import ChainEvent, TrainingOrder
from protocol.owner_policy import Budget, OwnerPolicy, TokenPay
from protocol.request import LEAST_KEY_BITS, Request
from protocol.terms import NATIVE
from services.bus.memory import MemoryBroker
from services.bus.open_bus import open_bus
from services.bus.port import Bus
from services.chain.connect import open_chain
from services.chain.contract.abi import load_libraries
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.deploy import deploy
from services.chain.contract.registry import Deployment
from services.chain.contract.tokens import TEST_TOKEN, deploy_test_token, minting
from services.chain.contract.views import MarketplaceViews
from services.chain.embedded.embedded_rpc import ProcessRpc
from services.chain.events.event_outbox import EventOutbox, Stream
from services.chain.events.listener import ChainListener
from services.chain.events.verification import EventVerifier
from services.chain.rpc.http import Rpc
from services.chain.transactions.sender import Sender
from services.common.errors import ServiceError
from services.config.daemons import Broker
from services.data.sample_request import DemoOptions
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.signing import order_to_self
from services.observability.counters import Meter
from services.observability.prometheus import Observed
from services.participants.assembly import Participant
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.runtime.resources import Resources
from services.runtime.role_adapter import Role
from services.runtime.step_pool import StepPool
from services.sandbox.task_set import TaskSet, unless_ended
from services.store import Store

RoleIn = Callable[[Store], Role]
"""Makes the role of a participant with this store."""

_GAS_ALLOWANCE = 10 * ETHER.whole
_TRAININGS_PAID = 100
"""For how many deposits the buyer has tokens."""
_POLL_SECONDS, _EMBEDDED_POLL_SECONDS = 0.2, 5.0
"""Between two looks for a new block: the embedded chain tells of each by itself."""
_FOR_TRYING = Budget(per_buyer=10_000, in_total=10_000)
"""About a hundred trainings as a person tries them; the owners' rows lie in the buyer's process anyway."""


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


class LocalMarket:
    """Buyer, aggregator and owners; an async context that ends with every daemon stopped."""

    def __init__(
        self,
        data_sets: Mapping[str, DataSet],
        options: DemoOptions,
        *,
        least_key_bits: int = LEAST_KEY_BITS,
        budget: Budget = _FOR_TRYING,
        on_event: Callable[[ChainEvent], None] = lambda _event: None,
        on_change: Callable[[str], None] = lambda _address: None,
    ) -> None:
        """One owner for each named data set; of the options those count that say where a market runs.

        `budget` is each data set's; `on_change` is told the address of a party whose daemon did something.
        """
        self._data_sets, self._options, self._least_key_bits = data_sets, options, least_key_bits
        self._policy = OwnerPolicy(automatic=True, standard_errors=True, budget=budget, minimum_reveal_s=1)
        self._on_event, self._on_change = on_event, on_change
        self.meter = Meter()
        self.broker = MemoryBroker()
        self._pool = StepPool(options.workers)
        self.keys = EphemeralKeys(self.meter)
        self.buyer: Participant
        self.aggregator: Participant
        self.owners: list[Participant] = []
        self.deployment: Deployment
        self.token = NATIVE
        self.assets = NO_TOKENS
        self._node: EventVerifier
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
        order = order_to_self(
            self.buyer.identity, self.deployment.market, "model_buyer", TrainingOrder(request=request)
        )
        await self.buyer.bus.publish(order)
        return f"order:{order.envelope.message_id.hex()}"

    def _tell(self, address: str) -> None:
        self.changed.set()
        self._on_change(address)

    async def wait_for(self, done: Callable[[], bool]) -> None:
        """Until `done`, looked at whenever a daemon has done something; raises what a daemon died of.

        Raises ServiceError where a step has failed: nobody would take its input up again, and all wait.
        """
        while not done():
            if self.meter.steps_failed:
                raise ServiceError(
                    "a step of a party has failed: the line step_failed in the log says where. Where the "
                    "system ends worker processes, for want of memory perhaps, take fewer (--workers 1)"
                )
            self.changed.clear()
            await self.changed.wait()
            self._tasks.check()

    # ---- starting ----

    async def _start(self) -> None:
        self._stack.push_async_callback(self._pool.close)
        self._pool.start()
        identities = [Identity(os.urandom(32), os.urandom(32)) for _ in range(2 + len(self._data_sets))]
        with self.meter.phase("start"):
            await self._declare_queues(identities)
            needed = _GAS_ALLOWANCE + (0 if self._options.token else self._options.paid)
            funded = tuple(identity.address for identity in identities)
            rpc = await self._open_chain(funded, needed)
            self._stack.push_async_callback(rpc.close)
            await unless_ended(_watch(rpc), self._register_all(rpc, identities))
        self._follow_chain(rpc)
        self._tasks.start(_watch(rpc))
        self._stack.push_async_callback(self._tasks.stop)
        for party in self.parties:
            self._tasks.start(party.run())
        # Invitations go to those whom the aggregator has taken.
        await self.wait_for(lambda: all(owner.is_introduced() for owner in self.owners))

    async def _register_all(self, rpc: Rpc, identities: Sequence[Identity]) -> None:
        """The contract, and everybody in its directory."""
        self.deployment = await deploy(rpc, identities[1].signing_key)
        if self._options.token:
            await self._make_token(rpc, identities[1], identities[0].address)
        self._node = self._open_node(rpc)
        self._open_participants(rpc, *identities)
        await asyncio.gather(*(party.register() for party in self.parties))

    async def _open_chain(self, funded: tuple[str, ...], wei: int) -> Rpc:
        apart = self._options.workers != 0
        if not apart:
            # The chain's thread imports some of the same packages. They import each other in circles, and two
            # threads at it at once see them half loaded.
            load_libraries()
        opening = asyncio.create_task(open_chain(self._options.chain, apart=apart)(funded, wei))
        if apart:
            await asyncio.sleep(0)  # its process is on its way, and this one loads what it needs meanwhile
            load_libraries()
        return await opening

    async def _make_token(self, rpc: Rpc, maker: Identity, buyer: str) -> None:
        """A token to pay in: the buyer has as much of it as some trainings cost, and the owners take it."""
        sender = Sender(rpc, maker.signing_key, self.deployment.market.chain_id)
        self.token = await deploy_test_token(sender)
        await sender.send(self.token, minting(buyer, _TRAININGS_PAID * self._options.paid))
        self.assets = Assets({self.token: TEST_TOKEN})
        self._policy = self._policy.model_copy(update={"tokens": (TokenPay(token=self.token),)})

    def _open_node(self, rpc: Rpc) -> EventVerifier:
        """Whose word all parties believe about events: they share one node, which is asked once for all."""
        return EventVerifier(MarketplaceViews(rpc, self.deployment.market), confirmations=0)

    def _open_participants(self, rpc: Rpc, buyer: Identity, aggregator: Identity, *owners: Identity) -> None:
        admitted = frozenset(owner.address for owner in owners)
        self.buyer = self._participant(
            buyer,
            rpc,
            "model_buyer",
            lambda store: BuyerRole(store, buyer.address, self.keys),
        )
        self.aggregator = self._participant(
            aggregator,
            rpc,
            "federated_aggregator",
            lambda store: AggregatorRole(store, aggregator.address, admitted),
        )
        for owner, (name, data_set) in zip(owners, self._data_sets.items(), strict=True):
            role_in = self._owner_role(owner.address, {name: data_set})
            self.owners.append(self._participant(owner, rpc, "data_owner", role_in))

    def _owner_role(self, address: str, data_sets: Mapping[str, DataSet]) -> RoleIn:
        return lambda store: OwnerRole(
            store,
            address=address,
            data_sets=lambda: data_sets,
            aggregators=(self.aggregator.identity.address,),
            policy=self._policy,
        )

    def _participant(self, identity: Identity, rpc: Rpc, role: PartyRole, role_in: RoleIn) -> Participant:
        market, first_block = self.deployment.market, self.deployment.block
        address = identity.address
        store = Store(self._store_url(role, address), exclusive=True)
        self._stack.callback(store.close)
        client = MarketplaceClient(rpc, market, identity.signing_key, first_block=first_block)
        bus = self._open_bus(role, address)
        self._stack.push_async_callback(bus.close)
        self.observed.append(Observed(role, address, store, bus))
        directory = Directory(client)
        resources = Resources(
            role=role_in(store),
            identity=identity,
            market=market,
            store=store,
            bus=bus,
            client=client,
            node=self._node,
            directory=directory,
            pool=self._pool,
            meter=self.meter,
            least_key_bits=self._least_key_bits,
            on_change=lambda: self._tell(address),
        )
        return Participant.of(resources)

    async def _declare_queues(self, identities: Sequence[Identity]) -> None:
        """On a real broker the queues exist before anybody reads or writes."""
        if self._options.broker is None:
            return
        from services.bus.broker.declaration import declared  # noqa: PLC0415  aio-pika is not for the embedded bus

        kinds: list[PartyRole] = ["model_buyer", "federated_aggregator"]
        kinds += ["data_owner"] * len(self._data_sets)
        places = [(kind, identity.address) for kind, identity in zip(kinds, identities, strict=True)]
        self._amqp = await self._stack.enter_async_context(declared(self._options.broker, places))

    def _open_bus(self, kind: PartyRole, address: str) -> Bus:
        if self._amqp is None:
            self.broker.declare(kind, address)
        return open_bus(self._amqp or self.broker)

    def _store_url(self, kind: str, address: str) -> str:
        folder = self._options.folder
        return "sqlite://" if folder is None else f"sqlite:///{folder / f'{kind}-{address[2:10]}.sqlite'}"

    def _follow_chain(self, rpc: Rpc) -> None:
        """One listener for everybody: on an embedded chain, and on a test node, each block is final."""
        market, first_block = self.deployment.market, self.deployment.block
        store = Store(self._store_url("chain_listener", market.contract), exclusive=True)
        self._stack.callback(store.close)
        outbox = EventOutbox(store, market)
        poll = _EMBEDDED_POLL_SECONDS if self._options.chain is None else _POLL_SECONDS
        listener = ChainListener(
            rpc, market, outbox, confirmations=0, first_block=first_block, poll_seconds=poll
        )
        self._tasks.start(listener.run())
        self._tasks.start(outbox.run(self._publish))

    async def _publish(self, stream: Stream, event: ChainEvent) -> None:
        await self.aggregator.bus.publish_event(event, stream)
        if stream == "confirmed":
            self._on_event(event)
            self.changed.set()


async def _watch(rpc: Rpc) -> None:
    """Raise ChainUnavailable when the process of a chain of our own has ended.

    To a daemon that is an outage, and it asks again: of a node that may come back.
    """
    if isinstance(rpc, ProcessRpc):
        await rpc.watch()
