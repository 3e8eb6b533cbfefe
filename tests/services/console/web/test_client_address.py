"""Who asks, through proxies that are believed and past those who lie."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from services.config.console import ConsoleSettings
from services.console.web.client_address import client_address

PROXIES = ConsoleSettings(port=1, trusted_proxies=["10.0.0.0/8", "2001:db8::/32"]).proxies


def request(peer, *forwarded):
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    return make_mocked_request("GET", "/", headers).clone(remote=peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1, 203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1, rubbish, 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["rubbish"], "10.1.2.3"),
        ("10.1.2.3", ["10.7.7.7, 10.8.8.8"], "10.7.7.7"),
        ("10.1.2.3", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.1.2.3", ["[2001:db9::1]:4711"], "2001:db9::1"),
        ("2001:db8::1", ["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", [",".join(["1.2.3.4"] + ["10.0.0.1"] * 2000)], "10.0.0.1"),
        (None, ["203.0.113.9"], ""),
    ],
)
def test_the_nearest_that_is_no_trusted_proxy(peer, forwarded, address):
    asked = request(peer or "", *forwarded)
    assert client_address(asked, PROXIES) == address
