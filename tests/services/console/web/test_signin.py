"""Signing in: who may, what a session is worth, and when it ends."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.console.auth.guessing import SignInLimit
from tests.support.console.world import PASSWORD, Browser, ConsoleWorld


@pytest.fixture
async def browser(world):
    async with Browser(world) as one:
        yield one


async def test_a_stranger_is_sent_to_the_sign_in_page_and_back(browser):
    async with browser.http.get("/trainings", allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"] == "/sign-in?next=/trainings"
    form = {"name": "Olga ", "password": PASSWORD, "next": "/trainings"}
    response = await browser.post("/sign-in", form)
    assert response.headers["Location"] == "/trainings"
    assert "Sign out" in await browser.get("/trainings")


@pytest.mark.parametrize("path", ["/", "/trainings/new", "/trainings/x/model.json", "/nowhere"])
async def test_nothing_is_shown_to_a_stranger(browser, path):
    assert await browser.status(path) == 303


async def test_a_script_of_a_stranger_is_told_where_to_sign_in(browser):
    headers = {"HX-Request": "true"}
    async with browser.http.get("/trainings", headers=headers, allow_redirects=False) as response:
        assert (response.status, response.headers["HX-Redirect"]) == (401, "/sign-in?next=/trainings")


@pytest.mark.parametrize("topic", ["trainings", "training/order:1", "nothing"])
async def test_a_live_page_without_a_session_is_told_so_and_nothing_else(browser, topic):
    async with browser.http.get(f"/live/{topic}") as response:
        text = await response.text()
    assert text == "retry: 1000\n\nevent: signed_out\ndata: \n\n"


async def test_accounts_that_cannot_be_read_are_not_explained_to_strangers(browser, world):
    world.accounts.path.write_text("{")
    response = await browser.sign_in()
    assert response.status == 500
    assert "console-users" not in await response.text()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
async def test_signing_in_leads_nowhere_else(browser, target):
    response = await browser.post("/sign-in", {"name": "olga", "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/trainings"


@pytest.mark.parametrize(("name", "password"), [("olga", "wrong"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_password_and_an_unknown_name_look_the_same(browser, name, password):
    response = await browser.sign_in(name, password)
    assert response.status == 401
    assert "do not match" in await response.text()
    assert "Set-Cookie" not in response.headers


async def test_the_cookie_is_for_this_site_and_no_script(browser, world):
    response = await browser.sign_in()
    context = world.console.context
    assert set(response.cookies) == {context.cookie, context.device_cookie}
    for cookie in response.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert cookie.value not in str(world.store.values(""))


async def test_behind_tls_the_cookie_is_secure(tmp_path):
    world = ConsoleWorld(tmp_path, public_url="https://console.example")
    async with world.running(), Browser(world, Host="console.example") as browser:
        form = {"name": "olga", "password": PASSWORD}
        response = await browser.post("/sign-in", form, Origin="https://console.example")
        for cookie in response.cookies.values():
            assert cookie.key.startswith("__Host-")
            assert cookie["secure"]
        assert response.headers["Strict-Transport-Security"]


async def test_signing_in_makes_a_new_session_and_signing_out_ends_it(browser, world):
    first = (await browser.sign_in()).cookies[world.console.context.cookie].value
    await browser.get("/trainings")
    second = (await browser.sign_in()).cookies[world.console.context.cookie].value
    assert first != second
    for value, status in ((first, 303), (second, 200)):
        async with Browser(world) as other:
            other.http.cookie_jar.update_cookies({world.console.context.cookie: value})
            assert await other.status("/trainings") == status
    await browser.get("/trainings")
    response = await browser.post("/sign-out")
    assert response.headers["Location"] == "/sign-in"
    assert await browser.status("/trainings") == 303


@pytest.mark.parametrize("change", ["password", "removal"])
async def test_a_changed_account_ends_its_sessions(browser, world, change):
    await browser.sign_in()
    if change == "password":
        world.accounts.change_password("olga", "another long password")
    else:
        world.accounts.remove("olga")
    assert await browser.status("/trainings") == 303


async def test_guessing_is_slowed_down_by_account(browser):
    for _ in range(5):
        assert (await browser.sign_in("olga", "wrong")).status == 401
    response = await browser.sign_in("olga", PASSWORD)
    assert response.status == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert (await browser.sign_in("victor", PASSWORD)).status == 303


async def test_guessing_is_slowed_down_by_address_whatever_it_claims(browser, world):
    world.console.context.guesses.by_address = SignInLimit(free=3, longest_seconds=900.0)
    for index in range(3):
        response = await browser.post(
            "/sign-in", {"name": f"name{index}", "password": "x"}, **{"X-Forwarded-For": f"10.0.0.{index}"}
        )
        assert response.status == 401
    assert (await browser.sign_in("victor", PASSWORD)).status == 429


async def test_signing_in_is_logged_without_the_password(browser):
    with capture_logs() as logs:
        await browser.sign_in("olga", "a wrong but long password")
        await browser.sign_in()
    lines = [line for line in logs if line["event"] == "console_action"]
    assert [(line["tried"], line["status"], line["address"]) for line in lines] == [
        ("olga", 401, "127.0.0.1"),
        ("olga", 303, "127.0.0.1"),
    ]
    assert PASSWORD not in str(logs)
    assert "a wrong but long password" not in str(logs)


# ---- many guesses at once, and who they must not keep out ----


@pytest.fixture
async def behind_proxy(tmp_path):
    async with ConsoleWorld(tmp_path, trusted_proxies=["127.0.0.0/8"]).running() as running:
        yield running


async def guess(browser, address, password="wrong", name="olga"):
    form = {"name": name, "password": password}
    return (await browser.post("/sign-in", form, **{"X-Forwarded-For": address})).status


async def test_sixty_guesses_at_once_are_not_sixty_tries(world, browser):
    tried = []
    verify = world.console.context.accounts.verify
    world.console.context.accounts.verify = lambda *given: tried.append(given) or verify(*given)
    answers = await asyncio.gather(*(browser.sign_in("olga", f"guess {number}") for number in range(60)))
    assert len(tried) == 5
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 55


async def test_a_stranger_does_not_lock_the_right_user_out(behind_proxy):
    async with Browser(behind_proxy) as stranger, Browser(behind_proxy) as olga:
        assert [await guess(stranger, "203.0.113.9") for _ in range(7)] == [401] * 5 + [429] * 2
        assert await guess(stranger, "203.0.113.9", PASSWORD) == 429
        assert await guess(olga, "198.51.100.7", PASSWORD) == 303


async def test_a_browser_that_signed_in_before_is_let_in_however_many_guess(behind_proxy):
    async with (
        Browser(behind_proxy) as strangers,
        Browser(behind_proxy) as olga,
        Browser(behind_proxy) as new,
    ):
        assert await guess(olga, "198.51.100.7", PASSWORD) == 303
        await olga.get("/trainings")
        await olga.post("/sign-out")
        limit = SignInLimit(free=2, longest_seconds=60.0, clock=lambda: 0.0)
        behind_proxy.console.context.guesses.by_account = limit
        for number in range(4):
            await guess(strangers, f"203.0.113.{number}")
        assert await guess(new, "192.0.2.1", PASSWORD) == 429
        assert await guess(olga, "203.0.113.0", PASSWORD) == 303


async def test_a_made_up_device_is_a_stranger(world, browser):
    other = world.console.context.devices.cookie("victor")
    for cookie in ("x", "x.y", other, "\u00e9." + "0" * 64):
        browser.http.cookie_jar.update_cookies({world.console.context.device_cookie: cookie})
        await browser.sign_in("olga", "wrong")
    assert (await browser.sign_in("olga", "wrong")).status == 401
    assert (await browser.sign_in("olga", PASSWORD)).status == 429


async def test_who_cannot_be_checked_soon_is_told_and_not_counted(world, browser, monkeypatch):
    monkeypatch.setattr("services.console.auth.password_check.MOST_WAITING", 0)
    for _ in range(6):
        assert (await browser.sign_in()).status == 429
    monkeypatch.undo()
    assert (await browser.sign_in()).status == 303
