"""Live pages: what changed is pushed once, to everybody who looks; a page that comes back is right again."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from services.console.web.hub import Hub, Share, Viewer, encoded
from services.console.web.live import SIGNED_OUT
from tests.support.console.trainings import round_of, running_training, tell
from tests.support.console.world import Browser, ConsoleWorld

PATIENCE = 300
"""Seconds for what comes at once: a busy machine may keep any process from its work."""

PARTS = 12
"""Of a training's page that are kept up to date."""

TOPIC = ("training", "1", "en", False)


async def events(response, count):
    """The next so many events of a stream: (name, data)."""
    found = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            block = (await response.content.readuntil(b"\n\n")).decode()
            lines = block.strip().splitlines()
            if lines and lines[0].startswith("event: "):
                data = "\n".join(line.removeprefix("data: ") for line in lines[1:])
                found.append((lines[0].removeprefix("event: "), data))
    return found


async def test_an_open_page_gets_everything_and_then_what_changes(world):
    key = running_training(world.store)
    async with Browser(world) as browser:
        await browser.sign_in()
        async with browser.http.get(f"/live/training/{key}") as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            first = dict(await events(response, PARTS))
            assert "27.1 %" in first["figures"]
            tell(world.store, 1, round_of(1, 4))
            world.hub.wake()
            changed = dict(await events(response, 4))
    assert "34.4 %" in changed["figures"]
    assert set(changed) == {"figures", "curve", "partners", "transactions"}


async def test_a_restarted_console_takes_the_open_page_up_again(tmp_path):
    first = ConsoleWorld(tmp_path)
    key = running_training(first.store)
    async with first.running(), Browser(first) as browser:
        await browser.sign_in()
        cookies = {cookie.key: cookie.value for cookie in browser.http.cookie_jar}
        async with browser.http.get(f"/live/training/{key}") as response:
            await events(response, PARTS)
            first.hub.close()
            assert await response.content.read() == b""
    tell(first.store, 1, round_of(1, 4))
    second = ConsoleWorld(tmp_path, store=first.store)
    async with second.running(), Browser(second) as browser:
        browser.http.cookie_jar.update_cookies(cookies)
        async with browser.http.get(f"/live/training/{key}") as response:
            assert "34.4 %" in dict(await events(response, PARTS))["figures"]


async def test_signing_out_ends_the_stream(world):
    key = running_training(world.store)
    async with Browser(world) as browser:
        await browser.sign_in()
        async with browser.http.get(f"/live/training/{key}") as response:
            await events(response, PARTS)
            await browser.post("/sign-out")
            tell(world.store, 1, round_of(1, 4))
            world.hub.wake()
            async with asyncio.timeout(PATIENCE):
                rest = await response.content.read()
            assert rest == SIGNED_OUT


async def test_topics_and_arguments_that_do_not_exist(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        assert await browser.status("/live/nothing") == 404
        assert await browser.status("/live/training/order:9") == 404
    assert world.hub.viewers == 0


# ---- the hub ----


class Page:
    """Something to render, and how often that was done."""

    def __init__(self):
        self.text, self.rendered = "a", 0

    def render(self):
        self.rendered += 1
        return {"part": self.text, "same": "same"}


async def running(hub, work):
    task = asyncio.create_task(hub.run())
    try:
        await work
    finally:
        task.cancel()


async def test_a_change_is_rendered_once_for_two_hundred_viewers():
    hub, page = Hub(pace_seconds=0.01), Page()

    async def look(barrier, seen, number):
        async with hub.watching(TOPIC, page.render, f"account {number}", f"address {number}") as viewer:
            viewer.pending.clear()
            viewer.ready.clear()
            await barrier.wait()
            await viewer.ready.wait()
            seen.append(dict(viewer.pending))

    async def work():
        barrier, seen = asyncio.Barrier(201), []
        looking = [asyncio.create_task(look(barrier, seen, number)) for number in range(200)]
        await barrier.wait()
        before, page.text = page.rendered, "b"
        for _ in range(50):
            hub.wake()
        await asyncio.gather(*looking)
        assert seen == [{"part": encoded("part", "b")}] * 200
        assert page.rendered == before + 1
        assert hub.viewers == 0

    await running(hub, work())


async def test_nothing_is_rendered_for_nobody():
    hub, page = Hub(pace_seconds=0.01), Page()
    async with hub.watching(TOPIC, page.render):
        pass
    hub.wake()
    assert not hub._woken.is_set()


async def test_a_page_that_cannot_be_drawn_does_not_stop_the_others():
    hub, good, bad = Hub(pace_seconds=0.01), Page(), Page()

    def failing():
        if bad.rendered:
            raise ValueError
        return bad.render()

    async def work():
        other = ("training", "2", "en", False)
        async with hub.watching(other, failing), hub.watching(TOPIC, good.render) as viewer:
            viewer.ready.clear()
            good.text = "b"
            hub.wake()
            async with asyncio.timeout(PATIENCE):
                await viewer.ready.wait()
            assert viewer.pending["part"] == encoded("part", "b")

    await running(hub, work())


def test_a_slow_viewer_keeps_only_the_newest():
    viewer = Viewer()
    for number in range(1000):
        viewer.push({"part": b"%d" % number})
    assert viewer.pending == {"part": b"999"}


async def test_one_account_or_address_leaves_room_for_others():
    hub, page = Hub(share=Share(account=3, address=5)), Page()
    async with AsyncExitStack() as stack:

        async def look(account, address):
            await stack.enter_async_context(hub.watching(TOPIC, page.render, account, address))

        for _ in range(3):
            await look("olga", "203.0.113.9")
        with pytest.raises(web.HTTPTooManyRequests):
            await look("olga", "198.51.100.7")
        for _ in range(2):
            await look("victor", "203.0.113.9")
        with pytest.raises(web.HTTPTooManyRequests):
            await look("vera", "203.0.113.9")
        await look("vera", "198.51.100.7")
        assert hub.viewers == 6
    await look_again(hub, page)


async def look_again(hub, page):
    async with hub.watching(TOPIC, page.render, "olga", "203.0.113.9"):
        assert hub.viewers == 1


async def test_a_thousand_streams_of_one_account_leave_room_and_say_so(tmp_path):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world) as olga, Browser(world) as victor:
        world.hub._share = Share(account=2)
        await olga.sign_in()
        await victor.sign_in("victor")
        async with olga.http.get("/live/trainings") as one, olga.http.get("/live/trainings") as two:
            assert (one.status, two.status) == (200, 200)
            async with olga.http.get("/live/trainings") as refused:
                assert refused.status == 429
                assert "Close some of them" in await refused.text()
            async with victor.http.get("/live/trainings") as other:
                assert other.status == 200


@pytest.mark.parametrize("role", ["model_buyer", "data_owner", "federated_aggregator"])
async def test_no_channel_is_kept_for_what_somebody_invents(tmp_path, role):
    async with ConsoleWorld(tmp_path, role).running() as world, Browser(world) as browser:
        await browser.sign_in()
        for topic in (
            "trainings/a",
            "training/a",
            "data-sets/a",
            "earnings/a",
            "nothing",
            "training/%20",
            "a/b",
        ):
            assert await browser.status(f"/live/{topic}") == 404
            assert world.hub._channels == {}


async def test_a_closed_hub_takes_nobody():
    hub = Hub()
    hub.close()
    with pytest.raises(web.HTTPServiceUnavailable):
        async with hub.watching(TOPIC, Page().render):
            pass


def test_an_event_cannot_be_broken_out_of():
    sent = encoded("part", "<p>\r\n\nevent: other\ndata: x</p>").decode()
    assert sent == "event: part\ndata: <p>\ndata: \ndata: event: other\ndata: data: x</p>\n\n"


def test_a_fragment_that_has_become_empty_still_reaches_the_browser():
    assert encoded("part", "") == b"event: part\ndata: \n\n"
