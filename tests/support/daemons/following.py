"""A listener, its outbox, and a consumer of its two streams."""

import asyncio
import contextlib

from services.chain.events.event_outbox import EventOutbox
from services.chain.events.listener import ChainListener
from services.store import Store


class Streams:
    """What was published, with repetitions dropped as consumers drop them."""

    def __init__(self) -> None:
        self.published = []
        self.seen = {}
        self.confirmed = {}
        self.refuse_after = None

    async def publish(self, stream, event) -> None:
        if self.refuse_after is not None and len(self.published) >= self.refuse_after:
            raise ConnectionError("the broker is gone")
        self.published.append((stream, event))
        identity = (event.chain_id, event.block_hash, event.log_index)
        if event.removed:
            assert stream == "seen"
            self.seen.pop(identity, None)
        else:
            getattr(self, stream)[identity] = event

    def of(self, stream):
        return [event for name, event in self.published if name == stream]


class Following:
    """A listener and its outbox over one store."""

    def __init__(self, rpc, place, streams, store=None, **options) -> None:
        self.store = store or Store()
        self.streams = streams
        self.outbox = EventOutbox(self.store, place)
        self.listener = ChainListener(rpc, place, self.outbox, **options)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.listener.run())
            tasks.create_task(self.outbox.run(self.streams.publish))

    async def read(self) -> None:
        """Up to the newest block, publishing nothing."""
        while await self.listener.step():
            pass

    async def publish(self) -> None:
        """Until nothing waits; raises what the broker raises."""
        relay = asyncio.create_task(self.outbox.run(self.streams.publish))
        while self.store.waiting_effects() and not relay.done():
            await asyncio.sleep(0)
        relay.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await relay

    async def catch_up(self) -> None:
        await self.read()
        await self.publish()
