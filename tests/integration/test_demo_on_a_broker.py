"""The demo over a real RabbitMQ: one login that may configure stands for every party."""

import asyncio
import re
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from protocol.errors import MisuseError
from services.bus.broker.management_client import connected
from services.bus.port import BusRefused
from services.sandbox.demo import DemoOptions, run_demo
from tests.support.broker.amqp_market import management_access


def with_login(url, user, password):
    return url.replace("://", f"://{user}:{password}@", 1)


def run(broker):
    options = DemoOptions(owners=4, rounds=1, tolerance=Decimal(0), key_bits=1024, workers=0, broker=broker)
    return run_demo(options, lambda _text, _event: None)


def test_a_training_over_rabbitmq_leaves_no_queue_behind(rabbitmq, tmp_path):
    report = run(with_login(rabbitmq.amqp_url, rabbitmq.user, rabbitmq.password) + "/%2F")
    assert report.broker == "rabbitmq"
    assert report.weights_max_abs_error < 1e-6
    assert int(report.deposit_wei) == sum(map(int, report.paid_wei.values())) + int(report.refund_wei)

    async def queues():
        async with connected(management_access(rabbitmq, tmp_path)) as api:
            return await api.get("queues", "/")

    names = [queue["name"] for queue in asyncio.run(queues())]
    assert not [name for name in names if re.search(r"0x[0-9a-f]{40}", name)]


def test_a_wrong_password_is_told_without_it(rabbitmq):
    with pytest.raises(BusRefused) as refusal:
        run(with_login(rabbitmq.amqp_url, rabbitmq.user, "not-the-password"))
    assert "not-the-password" not in str(refusal.value)
    assert urlsplit(rabbitmq.amqp_url).hostname in str(refusal.value)


def test_what_is_no_amqp_url_is_misuse():
    with pytest.raises(MisuseError, match="amqp://user:password@"):
        run("http://localhost:5672")
