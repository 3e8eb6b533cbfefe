"""An owner's money on the console."""

import re
from decimal import Decimal

import pytest

from protocol.marketplace import Credited
from protocol.messages import WithdrawOrder
from services.bus.port import BusUnavailable
from services.chain.errors import ChainUnavailable
from services.console.web.earnings import accounts
from tests.support.console.owner import left_by_its_buyer, pay, put, withdrawn
from tests.support.console.trainings import tell
from tests.support.console.world import ADDRESS, Browser, ConsoleWorld

ETHER = 10**18


@pytest.fixture
async def world(tmp_path):
    async with ConsoleWorld(tmp_path, "data_owner").running() as running:
        put(running, 1, phase="finished")
        pay(running, 1, participation=ETHER // 100, contribution=ETHER // 4)
        pay(running, 2, validation=ETHER // 10)
        yield running


async def test_credits_are_told_by_training_and_share(world):
    withdrawn(world, ETHER // 100)
    (money,) = accounts(world.party)
    assert money.earned == ETHER // 100 + ETHER // 4 + ETHER // 10
    assert money.paid_out == ETHER // 100
    assert money.credit == ETHER // 4 + ETHER // 10
    none = dict.fromkeys(("contribution", "participation", "validation"), 0)
    rows = {number: (money.deals[number].name, one.shares) for number, one in money.by_training().items()}
    assert rows == {
        1: ("Disease progression", none | {"participation": ETHER // 100, "contribution": ETHER // 4}),
        2: ("", none | {"validation": ETHER // 10}),
    }


async def test_an_operator_withdraws(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get("/earnings")
        assert "0.36 ETH" in page
        assert "5 ETH" in page
        response = await browser.post("/earnings/withdraw")
        assert response.headers["Location"] == "/earnings?asked=1"
        assert "told to withdraw" in await browser.get("/earnings?asked=1")
    assert world.orders == [(WithdrawOrder(), 0)]


async def test_each_tokens_credit_is_withdrawn_by_itself(world):
    token = "0x" + "70" * 20
    credit = Credited(training=3, account=ADDRESS, share="validation", token=token, amount=2_500_000)
    tell(world.store, 3, credit)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get("/earnings")
        assert f"2,500,000 units of token {token}" in page
        assert "0.36 ETH" in page
        await browser.post("/earnings/withdraw", {"token": token})
        assert (await browser.post("/earnings/withdraw", {"token": "0x" + "71" * 20})).status == 409
    assert world.orders == [(WithdrawOrder(token=token), 0)]


async def test_what_is_not_claimed_is_shown_and_withdrawn_with_the_rest(world):
    withdrawn(world, 36 * ETHER // 100)
    kept = left_by_its_buyer(world.store, 5, ADDRESS)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get("/earnings")
        assert re.search(rf'data-figure="unclaimed">{Decimal(kept) / ETHER:f} ETH', page), page
        await browser.post("/earnings/withdraw")
    assert world.orders == [(WithdrawOrder(), 0)]


async def test_without_a_credit_there_is_nothing_to_withdraw(world):
    withdrawn(world, ETHER)
    async with Browser(world) as browser:
        await browser.sign_in()
        assert 'id="withdraw"' not in await browser.get("/earnings")
        assert (await browser.post("/earnings/withdraw")).status == 409
    assert world.orders == []


async def test_a_viewer_looks_alone(world):
    async with Browser(world) as browser:
        await browser.sign_in("victor")
        assert 'id="withdraw"' not in await browser.get("/earnings")
        assert (await browser.post("/earnings/withdraw")).status == 403


async def test_without_a_node_the_page_still_comes(world):
    world.refusal = ChainUnavailable("no answer from the node")
    async with Browser(world) as browser:
        await browser.sign_in()
        assert "the node does not answer" in await browser.get("/earnings")


async def test_without_a_broker_nothing_is_said_to_be_done(world):
    world.refusal = BusUnavailable("no broker")
    async with Browser(world) as browser:
        await browser.sign_in()
        assert (await browser.post("/earnings/withdraw")).status == 503


async def test_in_spanish_figures_and_words_are_spanish(world):
    async with Browser(world, **{"Accept-Language": "es"}) as browser:
        await browser.sign_in()
        page = await browser.get("/earnings")
    assert "0,36 ETH" in page
    assert "Ganancias" in page
