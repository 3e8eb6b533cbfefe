"""What a daemon's account holds for gas, looked at on a schedule: asking is also how the node is probed."""

from protocol.asset import ETHER
from services.chain.contract.views import MarketplaceViews


class Account:
    """One account; `ether` is None until the node has answered once."""

    def __init__(self, views: MarketplaceViews, address: str) -> None:
        """Nothing is asked yet."""
        self._views, self._address = views, address
        self.ether: float | None = None

    async def look(self) -> None:
        """Ask the node; raises ChainUnavailable or RpcError."""
        self.ether = await self._views.balance_of(self._address) / ETHER.whole
