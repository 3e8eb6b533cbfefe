"""An owner that never tells its nonce loses its seat, and its bond; with too few the deposit comes back."""

import asyncio
import time

import pytest
import yaml

from protocol.marketplace import BondForfeited, Cancelled, Joined, Opened, RolesDrawn
from services.chain.contract.client import MarketplaceClient
from services.chain.rpc.http import HttpRpc
from services.data.samples import deal
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_market import CONFIRMATIONS, two_features, write_request
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.roles.pay import credited, recomputed

SILENT, LAST = "owner-1", "owner-5"
BOND = 10**15
FORFEIT_TO = "0x" + "fe" * 20


class Waiting(ForkedMarket):
    """The last owner decides by hand, so that the joining is not over before it does."""

    def _own(self, name):
        own = super()._own(name)
        if name.startswith("owner"):
            own["policy"] = {**own["policy"], "automatic": name != LAST, "most_bond_wei": BOND}
        return own

    def order(self, name, minimum, *, step_s=60, payment=None):
        """A training with little time to reveal."""
        request = write_request(self, rounds=1, minimum=minimum, training=name)
        document = yaml.safe_load(request.read_text())
        document["deadlines"] = {"join_s": 120, "reveal_s": 8, "step_s": step_s, "chain_s": 8}
        document["payment"].update(payment or {})
        request.write_text(yaml.safe_dump(document))
        self.command("train", str(request), "--config", str(self.config("buyer")))

    async def lose_seat(self, number):
        """The silent owner has a seat and is dead before the joining is over, then everybody else is done."""
        others = [name for name in self.addresses if name != SILENT]
        await self.until(lambda: self.shown(LAST)[-1:] == ["READY"] and len(self.shown(LAST)) == number)
        while self.addresses[SILENT] not in (await self.client.owners(number)).seats:
            await asyncio.sleep(0.1)
        self.daemons[SILENT].kill()
        self.command("accept", str(number), "--config", str(self.config(LAST)))
        await self.until(lambda: all(self.is_over(name, number) for name in others))
        self.daemons[SILENT].start()
        await self.until(lambda: self.is_over(SILENT, number))
        return [self.shown(name)[number - 1] for name in (SILENT, *others)]

    def is_over(self, name, number):
        shown = self.shown(name)
        return len(shown) == number and shown[-1].startswith(("FINISHED", "FAILED"))

    async def bonds_are_back(self, number):
        """Daemons look for their bonds at a start, and then every minute."""
        until = await self.client.bond_until(number, self.addresses["buyer"])
        await asyncio.sleep(max(0.0, until + 2 * CONFIRMATIONS - time.time()))
        for name in self.names():
            self.daemons[name].kill()
            self.daemons[name].start()
        while await self.client.total_bonds():
            await asyncio.sleep(0.2)

    async def events(self, number):
        found = await chain_events(self.client, self.first_block)
        return [one.event for one in found if getattr(one.event, "training", None) == number]


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = two_features()
    async with (
        Waiting(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running,
        HttpRpc(running.node_url) as rpc,
    ):
        running.client = MarketplaceClient(rpc, running.market, first_block=running.first_block)
        yield running


async def test_a_seat_is_lost_without_a_nonce_and_the_training_with_too_few(market):
    await market.introduced()
    bonds = {"owner": str(BOND), "buyer": str(BOND), "forfeit_to": FORFEIT_TO}
    market.order("all are needed", minimum=5, step_s=1, payment={"bonds": bonds})
    assert set(await market.lose_seat(1)) == {"FAILED(too_few_revealed)"}
    events = await market.events(1)
    assert [one.account for one in events if isinstance(one, BondForfeited)] == [market.addresses[SILENT]]
    assert await market.client.credit_of(FORFEIT_TO) == BOND
    async with asyncio.timeout(300):
        await market.bonds_are_back(1)
    [opened], [cancelled] = ([one for one in events if isinstance(one, kind)] for kind in (Opened, Cancelled))
    assert cancelled.refund == opened.deposit
    assert not [one for one in events if isinstance(one, RolesDrawn)]

    market.order("four are enough", minimum=4)
    silent, *others = await market.lose_seat(2)
    assert (silent, set(others)) == ("FAILED(not_revealed)", {"FINISHED"})
    async with asyncio.timeout(300):
        await paid_out(market.client, market.addresses)
    events = await market.events(2)
    seats = [one.owner for one in events if isinstance(one, Joined)]
    [drawn] = [one for one in events if isinstance(one, RolesDrawn)]
    assert drawn.trainers | drawn.validators == 0b11111 ^ 1 << seats.index(market.addresses[SILENT])
    assert credited(events) == recomputed(events)
    assert market.addresses[SILENT] not in {account for account, _share in credited(events)}
