"""What a training by daemons must have come to: the plain twin's model and errors, and the published pay."""

import asyncio
from typing import Any

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.learning import plaintext
from protocol.learning.plaintext import OwnerData
from protocol.learning.statistic import StatisticBuilder
from protocol.records import Market
from protocol.types import seats_of
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.views import Owners
from services.chain.rpc.http import HttpRpc
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_market import DaemonMarket
from tests.support.roles.pay import credited, recomputed
from tests.support.statistics import chosen_factor

DEPOSIT = 10**18


async def check_outcome(market: DaemonMarket, *, rounds: int, local_steps: int) -> None:
    """The first training of a market from zero, step 1.5, all its rounds recorded, every pay withdrawn."""
    async with HttpRpc(market.node_url) as rpc:
        place = Market(chain_id=31337, contract=market.contract)
        client = MarketplaceClient(rpc, place, first_block=market.first_block)
        async with asyncio.timeout(600):
            await paid_out(client, market.addresses)
        owners = await client.owners(1)
        events = await chain_events(client, market.first_block)
    published = [one.event for one in events]
    assert credited(published) == recomputed(published)
    assert credited(published).total() == DEPOSIT
    _check_model(market, owners, rounds, local_steps)


def _check_model(market: DaemonMarket, owners: Owners, rounds: int, local_steps: int) -> None:
    data_of = {
        market.addresses[name]: owner_data(market.columns, part)
        for name, part in zip(market.owners, market.parts, strict=True)
    }
    plain = plaintext.run(
        [data_of[owners.seats[seat]] for seat in seats_of(owners.trainers)],
        [data_of[owners.seats[seat]] for seat in seats_of(owners.validators)],
        np.zeros(len(market.columns)),
        step_size=1.5,
        l2=0.0,
        local_steps=local_steps,
        rounds=rounds,
    )
    store = market.store("buyer")
    (instance,) = store.instances()
    model = unpack(BoughtModel, store.result(instance.key, "model") or b"")
    store.close()
    assert model.intercept is not None
    after = [metrics.after for metrics in plain.metrics]
    best = plain.averaging.models[after.index(min(after)) - rounds]
    assert np.abs(np.array([*model.weights, model.intercept]) - best).max() < 1e-6
    shown = market.command("show", "1", "--config", str(market.config("buyer")))
    errors = [figures["mse_after"] for figures in shown["rounds"]]
    assert errors == pytest.approx(after, rel=1e-5)


def owner_data(columns: Any, rows: Any) -> OwnerData:
    """An owner's factor and rows as its daemon works them out; the target is the last column."""
    builder = StatisticBuilder(columns)
    builder.add(rows)
    statistic = builder.finish()
    return OwnerData(chosen_factor(statistic, columns[:-1], columns[-1], intercept=True), statistic.rows)
