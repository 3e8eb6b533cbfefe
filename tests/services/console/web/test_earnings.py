"""What was earned as a page and as a file, for owner and aggregator alike."""

import csv
import io
from dataclasses import replace

import pytest

from protocol.marketplace import Credited, Opened
from services.console.web.earnings import accounts
from services.records.earnings_csv import earnings_csv
from tests.support.console.owner import BUYER
from tests.support.console.trainings import tell
from tests.support.console.world import ADDRESS, Browser, ConsoleWorld
from tests.support.deployment.documents import KEY_ID, any_request

AMOUNT = 123_456_789_012_345_678


def paid(folder, role, share):
    """A console whose party was paid for training 7, and calls its buyer a formula."""
    world = ConsoleWorld(folder, role)
    world.party = replace(world.party, names={BUYER: "=Clinic"})
    world.console.context.party = world.party
    wanted = any_request()
    opened = Opened(
        training=7,
        buyer=BUYER,
        aggregator=wanted.aggregator,
        deposit=wanted.payment.deposit_wei,
        terms=wanted.terms(KEY_ID),
    )
    tell(world.store, 7, opened, Credited(training=7, account=ADDRESS, share=share, amount=AMOUNT))
    return world


@pytest.mark.parametrize(
    ("role", "share"), [("data_owner", "validation"), ("federated_aggregator", "aggregation")]
)
async def test_the_page_offers_all_movements_as_a_file(tmp_path, role, share):
    world = paid(tmp_path, role, share)
    async with world.running(), Browser(world) as browser:
        await browser.sign_in("victor")
        page = await browser.get("/earnings")
        assert 'href="/earnings.csv"' in page
        assert "0.123457 ETH" in page
        assert f'=Clinic <code class="identifier" title="{BUYER}">' in page
        async with browser.http.get("/earnings.csv") as response:
            assert response.content_type == "text/csv"
            assert f"earnings-{ADDRESS}.csv" in response.headers["Content-Disposition"]
            text = await response.text()
    world.store.close()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["share"], row["amount_units"], row["buyer_name"]) == (share, str(AMOUNT), "'=Clinic")
    assert row["amount"] == "0.123456789012345678"


async def test_without_pay_the_page_says_when_it_comes(tmp_path):
    world = ConsoleWorld(tmp_path, "federated_aggregator")
    async with world.running(), Browser(world) as browser:
        assert (await browser.status("/earnings.csv")) == 303
        await browser.sign_in()
        page = await browser.get("/earnings")
        assert "Pay is credited when a training is settled." in page
        assert 'id="withdraw"' not in page
        assert "<table" not in page
    assert earnings_csv(accounts(world.party), {}, world.party.assets).count("\n") == 1
    world.store.close()
