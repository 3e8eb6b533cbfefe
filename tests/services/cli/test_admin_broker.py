"""`deltaml admin broker` on a real RabbitMQ."""

import asyncio
import secrets

import pytest

from services.bus.broker.management_client import connected
from tests.support.broker.amqp_market import address, management_access
from tests.support.daemons.command_line import refused, run, run_json


@pytest.fixture
def document(rabbitmq, tmp_path):
    """A file for one owner and a chain listener in a virtual host that is not there yet."""
    access = management_access(rabbitmq, tmp_path)
    vhost, owner, listener = f"deltaml-{secrets.token_hex(4)}", address(), f"listener-{secrets.token_hex(4)}"
    password = tmp_path / "listener"
    password.write_text("a long password\n")
    password.chmod(0o600)
    file = tmp_path / "broker.yaml"
    file.write_text(
        f"management:\n  url: {rabbitmq.management_url}\n  user: {rabbitmq.user}\n"
        f"  password_file: administrator\nvhost: {vhost}\n"
        f"participants:\n  - role: data_owner\n    address: {owner}\n"
        f"chain_listeners:\n  - user: {listener}\n    password_file: listener\n"
    )
    yield file

    async def remove():
        async with connected(access) as api:
            await api.delete("vhosts", vhost)
            for user in (owner, listener):
                await api.delete("users", user)

    asyncio.run(remove())


def test_plan_tells_apply_does_and_then_there_is_nothing_to_do(document):
    planned = run_json("admin", "broker", "plan", document, status=1)
    assert planned[0]["kind"] == "virtual host"
    assert "changes to make" in run("admin", "broker", "plan", document, status=1).stdout
    done = run_json("admin", "broker", "apply", document)
    assert [one for one in done if one["action"] != "look"] == planned
    assert all(one["action"] == "look" for one in run_json("admin", "broker", "plan", document))
    assert "as planned" in run("admin", "broker", "apply", document).stdout


def test_mistakes_in_the_file_are_told_by_name(document):
    document.write_text(document.read_text().replace("data_owner", "owner"))
    assert "participants.0.role" in refused("admin", "broker", "plan", document)


def test_a_broker_that_is_not_there_is_told(document, rabbitmq):
    document.write_text(document.read_text().replace(rabbitmq.management_url, "http://127.0.0.1:9"))
    assert "does not answer" in refused("admin", "broker", "plan", document, status=3)
