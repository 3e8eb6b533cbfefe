"""An operator's orders to its own daemon, whoever gives them: a command, a page or a program."""

from collections.abc import Awaitable, Callable

from protocol.marketplace import PartyRole
from protocol.messages import Message
from protocol.records import Market
from services.bus.open_bus import open_bus
from services.bus.port import Bus
from services.common.files import read_passphrase
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.identity.keys import Identity
from services.identity.keystore import Keystore
from services.identity.signing import order_to_self

Order = Callable[[Message, int], Awaitable[bytes]]
"""Sends an order about a training (0: about none) to the daemon's own queue; returns its message id."""


def orders_over(bus: Bus, identity: Identity, market: Market, role: PartyRole) -> Order:
    """Orders are signed with the daemon's key, sealed to it, published.

    The order raises BusError when the broker has not taken it.
    """

    async def send(body: Message, training: int = 0) -> bytes:
        order = order_to_self(identity, market, role, body, training)
        await bus.publish(order)
        return order.envelope.message_id

    return send


async def send_order(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig,
    role: PartyRole,
    body: Message,
    training: int = 0,
) -> bytes:
    """One order to the daemon of a configuration; returns its message id.

    Raises ConfigurationError for a key store that cannot be opened, BusError when the broker takes no order.
    """
    identity = Keystore.open(config.keystore, read_passphrase(config.passphrase_file)).identity
    bus = open_bus(config.broker)
    try:
        return await orders_over(bus, identity, config.chain.market, role)(body, training)
    finally:
        await bus.close()
