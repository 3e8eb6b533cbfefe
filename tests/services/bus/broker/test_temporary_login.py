"""Users that exist for one command, and those that a killed command has left behind, on a real broker."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest

from services.bus.amqp.connection import Connection
from services.bus.broker.passwords import HASHING_ALGORITHM, password_hash
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.temporary_login import temporary_connection
from services.bus.broker.topology import NOTHING
from services.config.daemons import Broker
from tests.support.broker.amqp_market import AmqpMarket, management_access
from tests.support.broker.own_rabbitmq import OwnBroker
from tests.support.broker.private_rabbitmq import Server
from tests.support.daemons.command_line import run

HOUR = 3600
PASSWORD = "of a command that was killed"


@pytest.fixture
def rabbitmq(own: OwnBroker) -> Server:
    """One that few use: one that thousands have used may list no connection, of nobody."""
    return own.broker.server


@pytest.fixture
def plan(market: AmqpMarket, tmp_path) -> BrokerPlan:
    return BrokerPlan.model_validate(
        {
            **market.places.model_dump(),
            "management": management_access(market.server, tmp_path).model_dump(),
            "amqp": {"url": market.server.amqp_url},
        }
    )


@pytest.fixture
async def users(market: AmqpMarket):
    """Makes users of these names, and removes those that are left at the end."""
    made = []

    async def make(name: str) -> str:
        made.append(name)
        proof = {"password_hash": password_hash(PASSWORD), "hashing_algorithm": HASHING_ALGORITHM, "tags": ""}
        await market.api.put("users", name, body=proof)
        rights = {"configure": NOTHING, "read": NOTHING, "write": NOTHING}
        await market.api.put("permissions", market.vhost, name, body=rights)
        return name

    yield make
    for name in made:
        await market.api.delete("users", name)


async def names(market: AmqpMarket) -> set[str]:
    """Who has rights here: other tests may be at work on the same broker."""
    return {entry["user"] for entry in await market.api.get("permissions") if entry["vhost"] == market.vhost}


async def test_what_a_killed_command_left_behind_is_removed_by_the_next(market, plan, users):
    killed = await users(f"deltaml-admin-{int(time.time()) - HOUR}-0a1b2c3d")
    earlier = await users("deltaml-admin-4e5f6071")
    before = await names(market)
    async with temporary_connection(plan):
        assert len(await names(market) - before) == 1
        assert before - await names(market) == {killed, earlier}


async def test_who_is_at_work_is_left_alone(market, plan, users):
    """Made just now, or with a connection; and whoever has only a similar name."""
    just_made = await users(f"deltaml-admin-{int(time.time())}-0a1b2c3e")
    person = await users("deltaml-admin-olga")
    long_at_work = await users(f"deltaml-admin-{int(time.time()) - HOUR}-0a1b2c3f")
    url = market.server.amqp_url.replace("://", f"://{long_at_work}@")
    async with Connection(Broker(url=f"{url}/{market.vhost}"), "administrator", PASSWORD) as connection:
        await connection.channel()

        listed: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(300):
                while long_at_work not in {entry.get("user") for entry in listed}:
                    listed = await market.api.get("connections")  # the broker counts them every few seconds
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"{long_at_work} is not among the {len(listed)} connections {listed[:3]}")
        async with temporary_connection(plan):
            assert {just_made, person, long_at_work} <= await names(market)


async def test_an_error_within_removes_the_user(market, plan):
    before = await names(market)
    with suppress(ZeroDivisionError):
        async with temporary_connection(plan):
            assert len(await names(market) - before) == 1
            raise ZeroDivisionError
    assert not await names(market) - before


def test_the_help_tells_that_a_user_is_made():
    assert "deltaml-admin-" in run("admin", "broker", "plan", "--help").stdout
