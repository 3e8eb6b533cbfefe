"""Owners of a training in a token, each kept from joining by something else until a word is said."""

import asyncio
import csv
import secrets

import pytest
import yaml

from services.chain.contract.client import MarketplaceClient
from services.chain.contract.tokens import deploy_test_token, minting
from services.chain.rpc.http import HttpRpc
from services.chain.transactions.pending import SendPolicy
from services.chain.transactions.sender import Sender
from services.data.samples import deal
from services.records.earnings import account_of
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_market import two_features, write_request
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.roles.pay import credited as credited_by
from tests.support.roles.pay import recomputed

WITHOUT_DATA, ASKING, USED_UP, WILLING = (f"owner-{number}" for number in (1, 2, 3, 4))
AMPLE = {"per_buyer": 1000, "in_total": 1000}
POLICIES = {
    WITHOUT_DATA: {"automatic": True, "withdraw": False, "budget": AMPLE},
    ASKING: {"automatic": False, "budget": AMPLE},
    USED_UP: {"automatic": True, "budget": {"per_buyer": 0, "in_total": 1000}},
    WILLING: {"automatic": True},
}
DEPOSIT = 10**9 + 7
"""Smallest units of the token."""
RECEIVER = "0x" + "57" * 20


class Reluctant(ForkedMarket):
    """Three owners that do not join, for three reasons; without the first, four are left: enough."""

    def _own(self, name):
        own = super()._own(name)
        own["tokens"] = [{"address": self.token, "symbol": "TEST", "decimals": 6}]
        if "policy" in own:
            own["policy"] = POLICIES.get(name, own["policy"]) | {"tokens": [{"token": self.token}]}
        return own

    async def _deploy(self):
        """The buyer has as many tokens as the training costs, to the unit."""
        async with HttpRpc(self.node_url) as rpc:
            sender = Sender(rpc, secrets.token_bytes(32), 31337, SendPolicy(poll_seconds=0.1))
            await rpc.call("anvil_setBalance", sender.address, hex(10**18))
            self.token = await deploy_test_token(sender)
            await sender.send(self.token, minting(self.addresses["buyer"], DEPOSIT))
        return await super()._deploy()

    def in_token(self, request):
        """The same request, paid in the token."""
        document = yaml.safe_load(request.read_text())
        document["payment"] = {"deposit_wei": DEPOSIT, "token": self.token}
        request.write_text(yaml.safe_dump(document))
        return request

    async def check_money(self):
        """Everybody has what the rounds say, in the token and to the unit, and ether only for gas."""
        async with HttpRpc(self.node_url) as rpc:
            client = MarketplaceClient(rpc, self.market, first_block=self.first_block)
            async with asyncio.timeout(600):
                left = await paid_out(client, self.addresses, self.token)
            published = [one.event for one in await chain_events(client, self.first_block)]
            pay = credited_by(published)
            assert pay == recomputed(published)
            assert pay.total() == DEPOSIT
            accounts = {**self.addresses, "receiver": RECEIVER}
            held = {name: await client.balance_of(one, self.token) for name, one in accounts.items()}
            assert sum(held.values()) + left == DEPOSIT
            assert await client.balance_of(self.contract, self.token) == left
            assert await client.balance_of(self.contract) == 0
            return held

    def _catalogue(self, name, part):
        if name != WITHOUT_DATA:
            super()._catalogue(name, part)


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = two_features()
    async with Reluctant(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


async def test_data_policy_budget_and_withdrawal_change_under_a_running_daemon(market):
    def config(name):
        return ("--config", str(market.config(name)))

    def used(name):
        shown = market.command("budget", *config(name))
        return [(one["buyer"], one["used"]) for one in shown["counts"]]

    def credited(name):
        store = market.store(name)
        try:
            account = account_of(store, "data_owner", market.addresses[name], market.token)
            return account.credited, account.withdrawn
        finally:
            store.close()

    await market.introduced()
    request = market.in_token(write_request(market, rounds=1, minimum=4))
    market.command("train", str(request), *config("buyer"))
    for name, state in ((WITHOUT_DATA, "WAITING"), (ASKING, "READY"), (USED_UP, "READY")):
        await market.until(lambda name=name, state=state: market.shown(name) == [state])
    assert used(USED_UP) == [(None, 0)]

    rows = market.folder / "rows.csv"
    with rows.open("w", newline="") as file:
        csv.writer(file).writerows([market.columns, *market.parts[0].tolist()])
    market.command("datasets", "add", str(rows), *config(WITHOUT_DATA))
    market.command("policy", "set", "--automatic", *config(ASKING))
    market.command("budget", "--per-buyer", "25", *config(USED_UP))
    await market.until(lambda: all(market.shown(name) == ["FINISHED"] for name in POLICIES))

    buyer = market.addresses["buyer"]
    for name in POLICIES:
        # Joining, two numbers for each of three trainers, the first error and three weights.
        assert used(name) == [(None, 11), (buyer, 11)]
    assert market.command("policy", "show", *config(ASKING))["source"] == "order"
    market.command("policy", "reset", *config(ASKING))

    def source():
        return market.command("policy", "show", *config(ASKING))["source"]

    await market.until(lambda: source() == "configuration")
    await market.until(lambda: credited(WITHOUT_DATA)[0])
    assert credited(WITHOUT_DATA)[1] == []
    market.command("withdraw", "--token", "TEST", "--to", RECEIVER, "--yes", *config(WITHOUT_DATA))
    await market.until(lambda: credited(WITHOUT_DATA)[1])
    earned, withdrawn = credited(WITHOUT_DATA)
    assert sum(one.amount for one in earned) == sum(one.amount for one in withdrawn) > 0
    told = market.command("earnings", *config(WITHOUT_DATA))["tokens"][market.token]
    held = await market.check_money()
    assert told["withdrawn_units"] == str(held["receiver"])
    assert held[WITHOUT_DATA] == 0
