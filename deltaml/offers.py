"""What is on offer, as a buyer's daemon is told it: asking, and what aggregators have not answered."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from protocol.messages import CardsOrder, Message
from services.config.daemons import ModelBuyerConfig
from services.records.offer_answers import chosen_aggregators, have_answered, silent, to_be_asked
from services.store import Store

_LOOK_SECONDS = 0.05


class SilentAggregatorWarning(UserWarning):
    """An aggregator has not told all that is on offer: what it told before counts."""


class Offers:
    """What a buyer's aggregators told, in the store of its daemon."""

    def __init__(
        self,
        store: Store,
        settings: ModelBuyerConfig,
        config: Path,
        give: Callable[[Message], Awaitable[bytes]],
        seconds: float,
    ) -> None:
        """`give` orders and returns the order's message id; answers are waited for so many seconds."""
        self._store, self._settings, self._config = store, settings, config
        self._give, self._seconds = give, seconds

    async def told_by(self, chosen: Sequence[str], own: str | None, *, stored: bool) -> tuple[str, ...]:
        """The aggregators that are meant: those chosen, or else `own`, or else the configuration's.

        None is asked that answered within a minute, or where `stored` or no seconds to wait are given; of one
        that has not told all a SilentAggregatorWarning tells. Raises ConfigurationError where none is named,
        and what `give` raises.
        """
        by_default = self._settings.aggregators if own is None else (own,)
        aggregators = chosen_aggregators(self._settings, chosen, by_default, self._config)
        old = () if stored or not self._seconds else to_be_asked(self._store, aggregators)
        if old:
            await self._answered(old, await self._give(CardsOrder(aggregators=old)))
        for one in silent(self._store, aggregators):
            name = self._settings.names.get(one, one)
            text = (
                f"{name} has not told all that is on offer: is it a registered aggregator, and does it run?"
            )
            warnings.warn(text, SilentAggregatorWarning, stacklevel=2)
        return aggregators

    async def _answered(self, aggregators: Sequence[str], order: bytes) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while not have_answered(self._store, aggregators, order):  # noqa: ASYNC110  of another process
                    await asyncio.sleep(_LOOK_SECONDS)
