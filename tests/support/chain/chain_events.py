"""The events of a market's contract, read as the client reads them."""

from protocol.messages import ChainEvent
from services.chain.contract.logs import LogReader
from services.chain.contract.views import MarketplaceViews


async def chain_events(client: MarketplaceViews, first_block: int = 0) -> list[ChainEvent]:
    """Every event from a block to the newest, in order."""
    return await LogReader(client.rpc, client.market).in_range(first_block, await client.block_number())
