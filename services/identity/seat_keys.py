"""The exchange keys of a training's owners, as each had it when it joined."""

from collections.abc import Mapping

from cachetools import LRUCache

from protocol.crypto.exchange import UNUSABLE
from protocol.errors import ProtocolViolation
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable
from services.identity.directory import Directory

_MOST_TRAININGS = 1024


class SeatKeys:
    """Read from the chain, and remembered once a training's owners are fixed."""

    def __init__(self, views: MarketplaceViews, directory: Directory) -> None:
        """`views` read what no reorganisation takes back."""
        self._views, self._directory = views, directory
        self._known: LRUCache[int, Mapping[str, bytes]] = LRUCache(_MOST_TRAININGS)

    async def of(self, training: int | None) -> Mapping[str, bytes]:
        """The keys by address in seat order; their set is final once the roles are drawn.

        Anybody may join with any key: an owner whose key cannot be used is left out. Raises ChainUnavailable
        where the node does not know one that has joined.
        """
        if training is None:
            return {}
        known = self._known.get(training)
        if known is not None:
            return known
        owners = await self._views.owners(training)
        keys: dict[str, bytes] = {}
        for seat in owners.seats:
            try:
                keys[seat] = await self._directory.exchange_key_of(training, seat)
            except ProtocolViolation as violation:
                if violation.code != UNUSABLE:  # who has joined is registered: the node's answer lags
                    raise ChainUnavailable(f"no exchange key of {seat} yet: {violation.code}") from None
        if owners.trainers:
            self._known[training] = keys
        return keys
