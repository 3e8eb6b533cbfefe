"""A page in somebody's browser does not read the metrics under a name of its own."""

import socket

import aiohttp
import pytest

from services.observability.counters import Meter
from services.observability.prometheus import DaemonCollector, serving


async def status_for(port, host) -> int:
    async with (
        serving(port, DaemonCollector([], Meter()), names=["owner.metrics.svc"]),
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": host}) as response,
    ):
        return response.status


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost:9464",
        "[::1]:9464",
        "10.1.2.3",
        "owner-1:9464",
        "OWNER.metrics.svc.",
        socket.gethostname(),
    ],
)
async def test_addresses_and_names_that_are_known(unused_tcp_port, host) -> None:
    assert await status_for(unused_tcp_port, host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9464", "127.0.0.1.evil.example", "", "[::1", "a@127.0.0.1", "metrics.svc"],
)
async def test_any_other_name_is_refused(unused_tcp_port, host) -> None:
    assert await status_for(unused_tcp_port, host) == 421
