"""What a participant asks its own node: contract events are announced unsigned, the node is believed."""

from typing import Protocol

from protocol.messages import ChainEvent


class OwnNode(Protocol):
    """A participant's node, as the receiver of events asks it; services/chain/events has the real one.

    What cannot be answered now raises a ServiceError: the same question is asked again later.
    """

    async def has_confirmed(self, block_number: int) -> bool:
        """Whether a block of that number is final at the node."""
        ...

    def has_reached(self, block_number: int) -> bool:
        """Whether the node had a block of that number when it was last asked."""
        ...

    def may_be_reached(self, block_number: int) -> bool:
        """Whether a chain can have come so far since the node's newest block."""
        ...

    def lag(self) -> str | None:
        """What makes one think that the node is behind its chain, None where nothing does."""
        ...

    async def fresh_lag(self) -> str | None:
        """As `lag`, after a look at the newest block; raises a ServiceError where there is no answer."""
        ...

    async def check(self, event: ChainEvent) -> None:
        """Return where the node shows exactly this event, in a block that is final there.

        Raises ProtocolViolation with the reason where the node contradicts it.
        """
        ...
