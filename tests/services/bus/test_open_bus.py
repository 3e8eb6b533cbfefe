"""Which bus a configuration means."""

from pathlib import Path

import pytest

from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.memory import MemoryBroker, MemoryBus
from services.bus.open_bus import open_bus
from services.common.errors import ConfigurationError
from services.config.daemons import Broker


def test_a_broker_in_this_process_is_shared_by_its_buses():
    broker = MemoryBroker()
    broker.declare("data_owner", "0x" + "d0" * 20)
    assert all(isinstance(open_bus(broker), MemoryBus) for _ in range(2))
    assert broker.queues


async def test_the_settings_of_a_daemon_mean_rabbitmq():
    bus = open_bus(Broker(url="amqp://somebody@localhost/market"))
    assert isinstance(bus, AmqpBus)
    assert not bus.is_connected
    await bus.close()


def test_files_that_cannot_be_used_are_told(tmp_path: Path):
    with pytest.raises(ConfigurationError):
        open_bus(Broker(url="amqp://somebody@localhost/market", password_file=tmp_path / "missing"))
