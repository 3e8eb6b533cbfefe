"""Owners of one training, each kept from joining by something else until its operator says a word."""

import csv

import pytest

from services.data.samples import deal, diabetes
from services.records.earnings import account_of
from tests.support.daemons.daemon_market import write_request
from tests.support.daemons.forked_daemons import ForkedMarket

WITHOUT_DATA, ASKING, USED_UP, WILLING = (f"owner-{number}" for number in (1, 2, 3, 4))
AMPLE = {"per_buyer": 1000, "in_total": 1000}
POLICIES = {
    WITHOUT_DATA: {"automatic": True, "withdraw": False, "budget": AMPLE},
    ASKING: {"automatic": False, "budget": AMPLE},
    USED_UP: {"automatic": True, "budget": {"per_buyer": 0, "in_total": 1000}},
    WILLING: {"automatic": True},
}


class Reluctant(ForkedMarket):
    """Three owners that do not join, for three reasons; without the first, four are left: enough."""

    def _own(self, name):
        own = super()._own(name)
        return {**own, "policy": POLICIES[name]} if name in POLICIES else own

    def _catalogue(self, name, part):
        if name != WITHOUT_DATA:
            super()._catalogue(name, part)


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
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
            account = account_of(store, "data_owner", market.addresses[name])
            return account.credited, account.withdrawn
        finally:
            store.close()

    await market.introduced()
    request = write_request(market, rounds=1, minimum=4)
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
        # Joining, two numbers for each of three trainers, the first error and eleven weights.
        assert used(name) == [(None, 19), (buyer, 19)]
    assert market.command("policy", "show", *config(ASKING))["source"] == "order"
    market.command("policy", "reset", *config(ASKING))

    def source():
        return market.command("policy", "show", *config(ASKING))["source"]

    await market.until(lambda: source() == "configuration")
    await market.until(lambda: credited(WITHOUT_DATA)[0])
    assert credited(WITHOUT_DATA)[1] == []
    market.command("withdraw", *config(WITHOUT_DATA))
    await market.until(lambda: credited(WITHOUT_DATA)[1])
    earned, withdrawn = credited(WITHOUT_DATA)
    assert sum(one.amount for one in earned) == sum(one.amount for one in withdrawn) > 0
