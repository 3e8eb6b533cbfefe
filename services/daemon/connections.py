"""What a daemon talks to: its store, the broker, the node."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from protocol.records import Market
from services.bus.open_bus import open_bus
from services.bus.port import Bus, BusUnavailable
from services.chain.errors import ChainUnavailable
from services.chain.rpc.http import HttpRpc
from services.chain.rpc.new_heads import NewHeads
from services.common.outages import Outage
from services.config.daemons import Chain, Daemon
from services.store import Store
from services.store.database import store_outage
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Connections:
    """Store, broker and node of one daemon, and which contract on which chain."""

    store: Store
    bus: Bus
    rpc: HttpRpc
    market: Market


async def connect(config: Daemon, stack: AsyncExitStack) -> Connections:
    """Open what a configuration names, to be closed by `stack`; a database that is away is waited for.

    Raises StoreInUse when another process works on the store. Broker and node are not asked for anything yet.
    """
    password = config.store_password()
    store = await retry_while_unavailable(
        Store, config.store, password=password, exclusive=True, outage=store_outage()
    )
    stack.callback(store.close)
    rpc = await _open_rpc(config.chain, stack)
    bus = open_bus(config.broker)
    stack.push_async_callback(bus.close)
    return Connections(store, bus, rpc, config.chain.market)


async def _open_rpc(chain: Chain, stack: AsyncExitStack) -> HttpRpc:
    heads = None
    if chain.websocket_url is not None:
        heads = await stack.enter_async_context(NewHeads(chain.websocket_url))
    rpc = HttpRpc(chain.url, heads=heads)
    stack.push_async_callback(rpc.close)
    return rpc


async def retry_until_reachable(
    action: Callable[[], Awaitable[Any]], *, first_pause: float = 0.5, longest_pause: float = 5.0
) -> None:
    """Do what needs the node or the broker, again and again until they are there."""
    outage = Outage(_log, "waiting", "waited")

    async def attempt() -> None:  # tenacity does not await what a lambda returns
        await action()

    def tell(state: RetryCallState) -> None:
        if state.outcome is not None and (error := state.outcome.exception()) is not None:
            outage.failed(error)

    await AsyncRetrying(
        retry=retry_if_exception_type((ChainUnavailable, BusUnavailable)),
        wait=wait_exponential(multiplier=first_pause, max=longest_pause),
        before_sleep=tell,
    )(attempt)
    outage.works()
