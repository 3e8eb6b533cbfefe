"""The demo with consoles: one address opens every party's, the first look starts a training."""

import asyncio
from decimal import Decimal

import aiohttp
import pytest

from services.data.sample_request import DemoOptions
from services.sandbox.demo import prepared_data
from services.sandbox.interactive_demo import attended

KEY_BITS = 1024


@pytest.fixture
async def opened(tmp_path):
    """The address that the terminal shows; the market runs meanwhile."""
    options = DemoOptions(
        columns=("bmi", "bp", "target"),
        rounds=1,
        tolerance=Decimal(0),
        owners=4,
        key_bits=KEY_BITS,
        workers=0,
    )
    data = prepared_data(options, lambda _text, _event: None, KEY_BITS)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        attended(options, data, tmp_path, 0, lambda _text, _event: None, address.set_result, KEY_BITS)
    )
    await asyncio.wait([address, running], return_when=asyncio.FIRST_COMPLETED, timeout=300)
    yield address.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def browser():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def test_one_address_opens_every_console_and_the_first_look_starts_a_training(opened, browser):
    async with browser.get(opened) as answer:
        assert answer.status == 200
        assert "key=" not in str(answer.url)
        page = await answer.text()
    consoles = [part.split('"')[0] for part in page.split('href="http')[1:]]
    parties = [f"http{one}" for one in consoles if one.endswith("/")]
    assert len(parties) == 6
    for url in parties:
        async with browser.get(url) as answer:
            assert answer.status == 200
            assert "/sign-in" not in str(answer.url)
    root = opened.split("?")[0]
    async with asyncio.timeout(600):
        while True:
            async with browser.get(f"{root}state") as answer:
                state = await answer.text()
            if "state-finished" in state:
                break
            await asyncio.sleep(0.5)
    async with browser.post(f"{root}train", headers={"Origin": root.rstrip("/")}) as answer:
        assert answer.status == 200
    async with asyncio.timeout(300):
        while state.count("<li>") < 2:
            async with browser.get(f"{root}state") as answer:
                state = await answer.text()
            await asyncio.sleep(0.2)


async def test_without_the_secret_nothing_opens(opened, browser):
    root = opened.split("?")[0]
    for url in (root, f"{root}?key=guess", f"{root}state"):
        async with browser.get(url) as answer:
            assert answer.status == 403
            assert not answer.cookies
    async with browser.post(f"{root}train", headers={"Origin": root.rstrip("/")}) as answer:
        assert answer.status == 403


async def test_another_site_cannot_start_a_training(opened, browser):
    async with browser.get(opened):
        pass
    root = opened.split("?")[0]
    for headers in ({"Origin": "http://evil.example"}, {}):
        async with browser.post(f"{root}train", headers=headers) as answer:
            assert answer.status == 403
    async with browser.get(root, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 421
