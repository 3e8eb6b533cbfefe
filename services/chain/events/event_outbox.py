"""What the listener is to publish, stored with how far it came, and published from there.

Events and cursor are written in one transaction before anything is published. Whatever consumers saw is thus
known to the next run, which takes back what a reorganisation removed while it was away. A crash between
publishing and forgetting publishes some events twice with the same identity: consumers drop the second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from protocol.codec import pack, unpack
from protocol.messages import ChainEvent
from protocol.records import Market
from protocol.types import FrozenModel
from services.common.errors import StoreUnavailable
from services.common.tasks import IDLE_SECONDS, wait_for_event
from services.store import QueuedEffect, Store
from services.store.waiting import pause

Stream = Literal["seen", "confirmed"]

Publish = Callable[[Stream, ChainEvent], Awaitable[None]]
"""Returns once the event is safe with the broker."""

_KIND = "event"
_AT_ONCE = 0.0
"""Due since ever: a clock that is set back holds no event up."""


class StreamedEvent(FrozenModel):
    """An event on its way into a stream."""

    stream: Stream
    event: ChainEvent


class EventOutbox:
    """One market's listener in a store that holds no other outbox."""

    def __init__(self, store: Store, market: Market) -> None:
        """The store may hold the cursors of several markets, one after another."""
        self._store = store
        self._key = f"chain-cursor/{market.chain_id}/{market.contract}"
        self._wake = asyncio.Event()
        self.on_cycle: Callable[[], None] = lambda: None

    def load(self) -> bytes | None:
        """The last saved cursor."""
        return self._store.values(self._key).get("")

    def save(self, cursor: bytes, events: Sequence[StreamedEvent]) -> None:
        """The new cursor and the events that lie between it and the last one: both or neither."""
        effects = [(_KIND, pack(event)) for event in events]
        self._store.put_value(self._key, cursor, effects=effects, now=_AT_ONCE)
        if events:
            self._wake.set()

    async def run(self, publish: Publish) -> None:
        """Publish in order until cancelled; raises what `publish` raises, with that event still stored."""
        while True:
            self._wake.clear()
            self.on_cycle()
            try:
                while waiting := self._store.due_effects(_AT_ONCE):
                    await self._relay(waiting, publish)
            except StoreUnavailable as error:
                await pause(error)
                continue
            await wait_for_event(self._wake, IDLE_SECONDS)

    async def _relay(self, waiting: Sequence[QueuedEffect], publish: Publish) -> None:
        published: list[QueuedEffect] = []
        try:
            for effect in waiting:
                item = unpack(StreamedEvent, effect.content)
                await publish(item.stream, item.event)
                published.append(effect)
        finally:
            self._store.effects_done(published)
