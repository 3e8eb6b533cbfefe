"""What a training by daemons must have come to: the plain twin's model and errors, and the published pay."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import yaml

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.learning import plaintext
from protocol.learning.judgement.members import row_weights
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData
from protocol.learning.statistic import StatisticBuilder
from protocol.records import Market
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.types import seats_of
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.views import Owners
from services.chain.rpc.http import HttpRpc
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_market import DaemonMarket
from tests.support.roles.pay import credited, recomputed

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
    request = parse_request(yaml.safe_load((market.folder / "request.yaml").read_text()))
    data_of = {
        market.addresses[name]: owner_data(request, market.columns, part)
        for name, part in zip(market.owners, market.parts, strict=True)
    }
    plain = plaintext.run(
        [data_of[owners.seats[seat]] for seat in seats_of(owners.trainers)],
        weighed([data_of[owners.seats[seat]] for seat in seats_of(owners.validators)]),
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
    after = [metrics.after for metrics in plain.metrics]
    best = plain.averaging.models[after.index(min(after)) - rounds].tolist()
    assert _weights(model) == pytest.approx(_weights(BoughtModel.of(request, best)), rel=0, abs=1e-6)
    shown = market.command("show", "1", "--config", str(market.config("buyer")))
    errors = [figures["mse_after"] for figures in shown["rounds"]]
    assert errors == pytest.approx(after, rel=1e-5)


def _weights(model: BoughtModel) -> list[float]:
    assert model.intercept is not None
    return [*model.weights, model.intercept]


def owner_data(request: Request, columns: Any, rows: Any) -> OwnerData:
    """An owner's factor, in the request's scale, and rows as its daemon works them out."""
    builder = StatisticBuilder(columns)
    builder.add(rows)
    statistic = builder.finish()
    return OwnerData(kind_of(request).measuring_factor(request, statistic), statistic.rows)


def weighed(validators: Sequence[OwnerData]) -> list[OwnerData]:
    """The validators with what their errors weigh in a round: their rows, in a checked one up to a cap."""
    rows = [one.rows for one in validators]
    weights = row_weights(rows)
    return [one._replace(rows=weight) for one, weight in zip(validators, weights, strict=True)]
