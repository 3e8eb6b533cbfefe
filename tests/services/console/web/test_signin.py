"""Signing in: who may, what a session is worth, and when it ends."""

import pytest
from structlog.testing import capture_logs

from services.console.auth.security import SignInLimit
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
    (cookie,) = response.cookies.values()
    assert cookie.key == world.console.context.cookie
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie.value not in str(world.store.values(""))


async def test_behind_tls_the_cookie_is_secure(tmp_path):
    world = ConsoleWorld(tmp_path, public_url="https://console.example")
    async with world.running(), Browser(world, Host="console.example") as browser:
        form = {"name": "olga", "password": PASSWORD}
        response = await browser.post("/sign-in", form, Origin="https://console.example")
        (cookie,) = response.cookies.values()
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
    world.console.context.limit_by_address = SignInLimit(free=3, longest_seconds=900.0)
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
