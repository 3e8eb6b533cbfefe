"""What a chain listener publishes: the contract's events."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.marketplace import MarketplaceEvent, Settled
from protocol.messages.catalogue import Catalogue, MessageBody
from protocol.messages.examples import DIGEST, SCALE
from protocol.messages.values import Moment
from protocol.types import Digest


class ChainEvent(MessageBody):
    """Listener → chain exchange: a log that appeared, or vanished in a reorganisation (`removed`)."""

    type: Literal["chain_event"] = "chain_event"
    event: MarketplaceEvent
    chain_id: Annotated[int, Field(ge=1, lt=1 << 63)]
    block_number: Annotated[int, Field(ge=0, lt=1 << 63)]
    block_hash: Digest
    transaction_hash: Digest
    log_index: Annotated[int, Field(ge=0, lt=1 << 31)]
    timestamp: Moment
    removed: bool = False

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=(),
        sent_when="When a block with the log is seen, has become final, or has vanished.",
        example=lambda: ChainEvent(
            event=Settled(training=7, improvement=SCALE // 2, paid=SCALE // 3, refund=SCALE * 2 // 3),
            chain_id=31337,
            block_number=42,
            block_hash=DIGEST,
            transaction_hash=DIGEST,
            log_index=0,
            timestamp=1_700_000_900,
        ),
    )
