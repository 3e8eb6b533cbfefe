"""The names that a console answers to, directly and behind proxies."""

import pytest

from services.console.auth.origins import Origins
from tests.support.console.world import PASSWORD, Browser, ConsoleWorld

PUBLIC = "https://console.example"


@pytest.mark.parametrize(
    "host", ["console.example", "console.example:443", "CONSOLE.example", "127.0.0.1:8461", "[::1]"]
)
def test_names_of_a_console_behind_a_proxy(host):
    assert Origins("127.0.0.1", PUBLIC, tls=False).knows(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "", "a@console.example", "console.example/x", "[::1", "console.example:x", "x" * 9000],
)
def test_what_is_no_name_of_it(host):
    assert not Origins("127.0.0.1", PUBLIC, tls=False).knows(host)


def test_a_console_beyond_loopback_is_not_opened_as_localhost():
    assert not Origins("192.0.2.1", PUBLIC, tls=False).knows("localhost")


@pytest.mark.parametrize("host", ["127.0.0.1:8461", "console.example", "localhost"])
async def test_signing_in_behind_nginx_as_it_comes(tmp_path, host):
    """proxy_pass sends the upstream's address as Host unless it is told otherwise."""
    world = ConsoleWorld(tmp_path, public_url="https://console.example:443/")
    async with world.running(), Browser(world, Host=host) as browser:
        form = {"name": "olga", "password": PASSWORD}
        assert (await browser.post("/sign-in", form, Origin=PUBLIC)).status == 303
        response = await browser.post("/sign-in", form, Origin="https://evil.example")
        assert response.status == 403
        assert "console.public_url" in await response.text()


@pytest.mark.parametrize("host", ["127.0.0.1:x", "a b", "[::1", "x@y", "\udcff", ""])
async def test_a_malformed_host_is_a_bad_request(tmp_path, host):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world) as browser:
        assert await browser.status("/sign-in", headers={"Host": host}) == 400
