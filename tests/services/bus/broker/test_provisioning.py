"""Provisioning a real broker: what is missing is made, what undermines it removed, twice is once."""

from pathlib import Path

import aio_pika
import pytest
from yarl import URL

from services.bus.broker.management_client import ManagementAccess, connected
from services.bus.broker.provisioning import BrokerPlan, apply, apply_broker, load_plan, plan_broker
from services.bus.broker.topology import topology_of
from services.bus.naming import DEAD_QUEUE, EXCHANGE, queue_name
from services.bus.port import BusRefused, BusUnavailable
from services.common.errors import ConfigurationError
from tests.support.broker.amqp_market import AmqpMarket, address
from tests.support.broker.bus_messages import outgoing


async def test_a_provisioned_broker_has_no_differences(market: AmqpMarket) -> None:
    found = await market.plan()
    assert {(one.action, one.name) for one in found} == {("look", market.server.user)}
    assert await market.apply() == found


async def test_messages_survive_applying_again(market: AmqpMarket) -> None:
    await market.bus(market.aggregator).publish(outgoing("data_owner", market.aggregator, market.owner))
    await market.apply()
    assert await market.depth(queue_name("data_owner", market.owner)) == 1


async def test_what_was_changed_by_hand_is_set_right(market: AmqpMarket) -> None:
    everything = {"configure": ".*", "read": ".*", "write": ".*"}
    await market.api.put("permissions", market.vhost, market.owner, body=everything)
    open_topic = {"exchange": EXCHANGE, "write": ".*", "read": ".*"}
    await market.api.put("topic-permissions", market.vhost, market.owner, body=open_topic)
    await market.api.put("users", market.buyer, body={"password": "guessed", "tags": "administrator"})
    await market.api.put("user-limits", market.listener, "max-connections", body={"value": 300})
    await market.api.delete("user-limits", market.aggregator, "max-channels")
    policy = {"pattern": "nothing", "definition": {"max-length": 1}, "apply-to": "queues"}
    await market.api.put("policies", market.vhost, "deltaml-queues", body=policy)
    await market.api.delete("queues", market.vhost, DEAD_QUEUE)
    changed = {(one.action, one.kind, one.name) for one in await market.apply() if one.action != "look"}
    assert changed == {
        ("change", "permission", market.owner),
        ("change", "topic permission", f"{market.owner} on {EXCHANGE}"),
        ("change", "user", market.buyer),
        ("change", "user", market.listener),
        ("change", "user", market.aggregator),
        ("change", "policy", "deltaml-queues"),
        ("create", "queue", DEAD_QUEUE),
        ("create", "binding", f"deltaml.dead → {DEAD_QUEUE} (#)"),
    }
    assert [one for one in await market.plan() if one.action != "look"] == []
    await market.bus(market.buyer).connect()


async def test_a_queue_of_another_kind_stops_everything(market: AmqpMarket) -> None:
    name = queue_name("data_owner", market.owner)
    await market.api.delete("queues", market.vhost, name)
    await (await market.channel()).declare_queue(name, durable=True)
    await market.api.delete("queues", market.vhost, DEAD_QUEUE)
    with pytest.raises(BusRefused, match=f"nothing was changed.*{name}"):
        await market.apply()
    assert await market.api.get("queues", market.vhost, DEAD_QUEUE) is None


async def test_a_document_provisions_a_new_virtual_host(market: AmqpMarket, tmp_path: Path) -> None:
    file = document(market, tmp_path, vhost := f"{market.vhost}-b")
    plan = load_plan(file)
    try:
        wanted = await plan_broker(plan)
        assert wanted[0].kind == "virtual host"
        done = await apply_broker(plan)
        assert [one.action for one in done if one.action == "create"] == [
            one.action for one in wanted if one.action == "create"
        ]
        assert [one for one in await plan_broker(plan) if one.action != "look"] == []
    finally:
        await market.api.delete("vhosts", vhost)
        for user in topology_of(plan).users:
            await market.api.delete("users", user.name)


def document(market: AmqpMarket, folder: Path, vhost: str) -> Path:
    """A file as an administrator writes it; the participant has no password, only a certificate."""
    administrator = folder / "administrator"
    administrator.write_text(f"{market.server.password}\n")
    administrator.chmod(0o600)
    file = folder / "broker.yaml"
    file.write_text(
        f"management: {{url: {market.server.management_url}/, user: {market.server.user}, "
        f"password_file: administrator}}\nvhost: {vhost}\n"
        f"participants: [{{role: data_owner, address: {address()}}}]\n"
    )
    return file


async def test_a_user_without_a_password_file_cannot_log_in_with_any(
    market: AmqpMarket, tmp_path: Path
) -> None:
    plan = load_plan(document(market, tmp_path, market.vhost))
    topology = topology_of(BrokerPlan(**{**dict(plan), "chain_listeners": ()}))
    await apply(market.api, topology)
    user = plan.participants[0].address
    try:
        for password in ("guest", user, "^$"):
            url = URL(f"{market.server.amqp_url}/{market.vhost}").with_user(user).with_password(password)
            with pytest.raises(aio_pika.exceptions.CONNECTION_EXCEPTIONS):
                await aio_pika.connect(url)
    finally:
        await market.api.delete("users", user)


async def test_a_wrong_administrator_and_a_missing_broker_are_told(
    market: AmqpMarket, tmp_path: Path
) -> None:
    file = tmp_path / "wrong"
    file.write_text("wrong")
    file.chmod(0o600)
    access = ManagementAccess(url=market.server.management_url, user="nobody", password_file=file)
    async with connected(access) as api:
        with pytest.raises(BusRefused, match="administrator"):
            await api.get("overview")
    async with connected(access.model_copy(update={"url": "http://127.0.0.1:9"})) as api:
        with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9"):
            await api.get("overview")


def test_a_document_with_mistakes_names_them(tmp_path: Path) -> None:
    file = tmp_path / "broker.yaml"
    file.write_text(
        "management: {url: 'http://user:secret@host', user: a, password_file: p}\n"
        "participants: [{role: owner, address: '0x12'}]\nvhosts: x\n"
    )
    with pytest.raises(ConfigurationError) as told:
        load_plan(file)
    for name in ("management.url", "participants.0.role", "participants.0.address", "vhosts"):
        assert name in str(told.value)
    assert "secret" not in str(told.value)
