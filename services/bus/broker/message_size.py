"""Whether a broker takes longer bodies than any of ours: tried out, since no interface tells its limit."""

from aio_pika import Message
from aio_pika.exceptions import ChannelPreconditionFailed, PublishError

from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded_request
from services.bus.broker.drift import Difference
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.temporary_login import temporary_connection
from services.bus.broker.topology import MESSAGE_BYTES
from services.bus.naming import EXCHANGE
from services.bus.port import BusError, BusUnavailable

_NOWHERE = "nobody"
"""A routing key that no queue is bound by: what is taken under it is gone."""


async def message_size_differences(plan: BrokerPlan) -> list[Difference]:
    """What a person has to set in rabbitmq.conf; nothing for a document without `amqp`."""
    if plan.amqp is None:
        return []
    try:
        async with temporary_connection(plan) as connection:
            if not await takes_longer(connection):
                return []
            detail = f"it takes longer messages than ours: set it to {MESSAGE_BYTES} in rabbitmq.conf"
    except BusError as error:
        detail = f"not tried out: {error}"
    return [Difference("look", "setting", "max_message_size", detail)]


async def takes_longer(connection: Connection) -> bool:
    """Whether a body of a byte more than `MESSAGE_BYTES` is taken; it goes to no queue.

    `connection` may write to the exchange of messages. Raises BusRefused and BusUnavailable.
    """
    channel = await connection.channel()
    try:
        async with bounded_request():
            exchange = await channel.get_exchange(EXCHANGE, ensure=False)
            await exchange.publish(Message(bytes(MESSAGE_BYTES + 1)), _NOWHERE)
    except PublishError:
        return True  # taken, and returned since it goes nowhere
    except ChannelPreconditionFailed:
        return False
    except BROKER_ERRORS as error:
        raise BusUnavailable(f"cannot try out the broker's limit ({type(error).__name__})") from None
    finally:
        if not channel.is_closed:
            await channel.close()
    return True
