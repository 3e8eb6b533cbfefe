"""What a daemon hands to its console: whose it is, where it reads and how it gives orders."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protocol.marketplace import PartyRole
from protocol.messages import Message
from protocol.owner_policy import OwnerPolicy
from protocol.records import Market
from services.bus.port import Bus
from services.data.catalog import Catalog
from services.identity.keys import Identity
from services.identity.signing import order_to_self
from services.store import Store

Order = Callable[[Message, int], Awaitable[bytes]]
"""Sends an order about a training (0: about none) to the daemon's own queue; returns its message id."""

Balance = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class OwnerResources:
    """An owner's catalogue, and the policy in the daemon's configuration."""

    catalogue: Catalog
    configured: OwnerPolicy


@dataclass(frozen=True, slots=True)
class Party:
    """The participant behind a console.

    `balance` asks the chain for the account's wei and may raise ChainError. `owner` is a data owner's desk.
    """

    role: PartyRole
    address: str
    market: Market
    store: Store
    order: Order
    balance: Balance
    owner: OwnerResources | None = None

    @property
    def desk(self) -> OwnerResources:
        """The owner's; other roles have none."""
        assert self.owner is not None
        return self.owner


def orders_over(bus: Bus, identity: Identity, role: PartyRole) -> Order:
    """Orders as the command line gives them: signed with the daemon's key, sealed to it, published.

    The order raises BusError when the broker has not taken it.
    """

    async def send(body: Message, training: int = 0) -> bytes:
        order = order_to_self(identity, role, body, training)
        await bus.publish(order)
        return order.envelope.message_id

    return send
