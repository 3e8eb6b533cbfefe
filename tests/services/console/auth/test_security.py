"""What strangers' pages and scripts cannot do."""

import pytest
from structlog.testing import capture_logs

from protocol.messages import StopOrder
from services.bus.port import BusUnavailable
from services.console.auth.security import masked, unmasks_to
from tests.support.console.trainings import running_training
from tests.support.console.world import Browser

TOKEN = "ab" * 32


# ---- headers ----


@pytest.mark.parametrize("path", ["/trainings", "/sign-in", "/nowhere", "/static/0/none.css"])
async def test_every_response_has_the_headers(browser, path):
    async with browser.http.get(path, allow_redirects=False) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Server"] == "DeltaML"


async def test_no_page_has_inline_script_or_style(world, browser):
    running_training(world.store)
    key = world.store.instances()[0].key
    for path in ("/trainings", "/trainings/new", f"/trainings/{key}"):
        text = await browser.get(path)
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick" not in text
        assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:])


async def test_files_are_kept_for_ever_and_compressed(world, browser):
    url = world.console.context.assets.url("console.css")
    async with browser.http.get(url) as response:
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["Content-Encoding"] == "gzip"
        assert "--accent" in await response.text()
    assert await browser.status(url.replace("console.css", "console.js")) == 404
    assert await browser.status("/static/../accounts.py") == 404


async def test_the_first_load_is_small(world, browser):
    page = await browser.get("/trainings")
    files = [asset for path, asset in world.console.context.assets.by_path.items() if asset.url in page]
    assert len(files) == 6
    everything = [
        asset for asset in world.console.context.assets.by_path.values() if not asset.path.endswith(".md")
    ]
    assert sum(len(asset.compressed) for asset in everything) + len(page) < 100_000


# ---- forged requests ----


async def test_a_form_without_the_token_changes_nothing(world, browser):
    key = running_training(world.store)
    for token in ("", "x", masked("cd" * 32), masked(TOKEN)):
        response = await browser.post(f"/trainings/{key}/stop", {"csrf": token})
        assert response.status == 403
    assert world.orders == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
async def test_a_form_of_another_origin_changes_nothing(world, browser, origin):
    key = running_training(world.store)
    response = await browser.post(f"/trainings/{key}/stop", Origin=origin)
    assert response.status == 403
    assert (await browser.post("/sign-in", {"name": "olga"}, Origin=origin)).status == 403
    assert world.orders == []


async def test_a_rebound_host_is_refused(browser):
    async with browser.http.get("/sign-in", headers={"Host": "evil.example"}) as response:
        assert response.status == 421


def test_a_token_is_masked_differently_each_time():
    assert masked(TOKEN) != masked(TOKEN)
    assert unmasks_to(masked(TOKEN), TOKEN)
    for wrong in ("", "é", masked("cd" * 32), masked(TOKEN)[:-4], masked(TOKEN) + "AAAA"):
        assert not unmasks_to(wrong, TOKEN)


# ---- roles ----


async def test_a_viewer_reads_and_does_nothing_else(world):
    key = running_training(world.store)
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        text = await viewer.get(f"/trainings/{key}")
        assert "Stop this training" not in text
        assert await viewer.status("/trainings/new") == 403
        assert await viewer.status(f"/trainings/{key}/model.json") == 403
        for path in (f"/trainings/{key}/stop", "/trainings", "/trainings/new", "/trainings/new/check"):
            response = await viewer.post(path, {"request": "{}"})
            assert response.status == 403
            assert "You are not allowed to do this" in await response.text()
        assert (await viewer.post("/sign-out")).status == 303
    assert world.orders == []


async def test_an_operator_stops_a_training_and_it_is_logged(world, browser):
    key = running_training(world.store)
    await browser.get(f"/trainings/{key}")
    with capture_logs() as logs:
        response = await browser.post(f"/trainings/{key}/stop", {"reason": "too dear"})
    assert response.status == 303
    assert world.orders == [(StopOrder(training=1, reason="too dear"), 1)]
    (line,) = (one for one in logs if one["event"] == "console_action")
    assert (line["account"], line["training"], line["status"]) == ("olga", 1, 303)


async def test_without_the_broker_nothing_is_sent_and_it_is_said(world, browser):
    key = running_training(world.store)
    world.refusal = BusUnavailable("no connection")
    response = await browser.post(f"/trainings/{key}/stop", {"reason": "x"})
    assert response.status == 503
    assert "Nothing was sent" in await response.text()


async def test_a_bug_shows_a_page_without_its_text(world, browser):
    key = running_training(world.store)
    world.refusal = RuntimeError("secret")
    with capture_logs() as logs:
        response = await browser.post(f"/trainings/{key}/stop", {"reason": "x"})
    assert response.status == 500
    assert "secret" not in await response.text() + str(logs)


# ---- peers' texts ----


async def test_names_of_peers_are_text(world, browser):
    name = """<img src=x onerror=alert(1)>"'&{{7*7}}"""
    key = running_training(world.store, name=name)
    for path in ("/trainings", f"/trainings/{key}", f"/trainings/new?from={key}"):
        text = await browser.get(path)
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
        assert "{{7*7}}" in text
    async with browser.http.get(f"/live/training/{key}") as response:
        assert b"<img src=x" not in await response.content.readuntil(b"event: curve")
