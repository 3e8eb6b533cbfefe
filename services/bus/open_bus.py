"""The one place that knows which bus a configuration means."""

from services.bus.amqp.timing import Timing
from services.bus.memory import MemoryBroker, MemoryBus
from services.bus.port import Bus
from services.config.daemons import Broker


def open_bus(config: Broker | MemoryBroker, timing: Timing | None = None) -> Bus:
    """A party's bus: over RabbitMQ for a daemon's settings, or on a broker inside this process.

    It connects when it is first used; `timing` is RabbitMQ's alone. Raises ConfigurationError for files that
    cannot be used.
    """
    if isinstance(config, MemoryBroker):
        return MemoryBus(config)
    from services.bus.amqp.amqp_bus import AmqpBus  # noqa: PLC0415  aio-pika is slow to import

    return AmqpBus(config, timing)
