"""A market whose parties have registered: done once a process, and each test goes on from there alone."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB

from services.chain.contract.client import MarketplaceClient
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.embedded.evm import Ledger
from tests.support.chain.chain_market import POLICY, ChainMarket

_made: list[ChainMarket] = []
"""The first, on a chain that is closed and that nothing changes any more; empty until it is asked for."""


async def registered_market(clock: Callable[[], float] = time.time) -> ChainMarket:
    """On an embedded chain of its own, whose `rpc` the caller closes; all have the same parties' keys."""
    if not _made:
        _made.append(await _first())
    (first,) = _made
    rpc = EmbeddedRpc(clock=clock)
    assert isinstance(first.rpc, EmbeddedRpc)
    rpc._ledger = _continued(first.rpc._ledger, rpc)
    place = first.deployment
    clients = [
        MarketplaceClient(rpc, place.market, key, policy=POLICY, first_block=place.block)
        for key in first.keys.values()
    ]
    return ChainMarket(
        rpc, place, clients, dict(first.keys), started_with=dict(first.started_with), fees=dict(first.fees)
    )


async def _first() -> ChainMarket:
    market = await ChainMarket.create(rpc := EmbeddedRpc())
    await market.register()
    await rpc.close()
    return market


def _continued(first: Any, rpc: EmbeddedRpc) -> Ledger:
    """A ledger that begins as `first` has ended and shares nothing with it that either changes."""
    made: Any = Ledger(rpc._chain_id, rpc._clock, partial(rpc._loop.call_soon_threadsafe, rpc._wake))
    database = AtomicDB(MemoryDB(dict(first._chain.chaindb.db.wrapped_db.kv_store)))
    made._chain = type(first._chain)(database, first._chain.header)
    made._blocks[:] = first._blocks
    made._logs[:] = first._logs
    made._receipts.update(first._receipts)
    made._transactions.update(first._transactions)
    return made
