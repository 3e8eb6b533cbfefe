"""The management API as it answers when lists change under it."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.bus.broker.management_client import Management
from services.bus.port import BusRefused


async def asked(statuses: list[int]) -> object:
    async def users(_request: web.Request) -> web.Response:
        return web.json_response([], status=statuses.pop(0))

    app = web.Application()
    app.router.add_get("/api/users", users)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        return await Management(session, str(server.make_url("")).rstrip("/")).get("users")


async def test_a_list_that_changed_while_it_was_made_is_asked_for_again() -> None:
    assert await asked([500, 500, 200]) == []


async def test_a_broker_that_goes_on_failing_is_told_of() -> None:
    with pytest.raises(BusRefused, match="refuses GET users: 500"):
        await asked([500, 500, 500, 200])


async def test_a_refusal_is_not_asked_again() -> None:
    with pytest.raises(BusRefused, match="refuses GET users: 400"):
        await asked([400, 200])
