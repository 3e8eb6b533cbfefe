"""Whether a contract event that somebody announced is on the chain, by the word of one's own node.

An announcement is a hint where to look: the node is asked for the block's place in its chain, for the
contract's logs in it, and for what the contract's state says. What was found once is remembered, so that a
block with many events costs no more questions than one.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from cachetools import LRUCache, TTLCache

from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from services.chain.contract.bloom import may_have_logs
from services.chain.contract.logs import LogReader
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable
from services.chain.events.contract_state import difference
from services.chain.rpc.values import entry, octets, quantity

FRESH_SECONDS = 60.0
"""A node whose newest block is older than this may be behind the chain."""

_MOST_BLOCKS_PER_SECOND = 100
"""Of any chain: several times as many as the fastest have."""

_MOST_BLOCKS = 64
_MOST_EVENTS = 1024
_MOST_LOOKS = 3
"""At a block without the log, or a state that does not fit it: a server behind the same URL may lag."""

EMPTY_SECONDS = 60.0
"""For so long a block without logs, though its header allows for some, is not asked for again."""

_Events = Mapping[int, ChainEvent]


class EventVerifier:
    """Asks one node about the events of one contract; several participants with one node may share it."""

    def __init__(
        self,
        views: MarketplaceViews,
        *,
        confirmations: int,
        pause_seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """An event is final with `confirmations` blocks on top of its own.

        `views` read the newest block, `pause_seconds` are between two looks at a state that does not fit.
        """
        self._views, self._market = views, views.market
        self._confirmations, self._pause_seconds, self._clock = confirmations, pause_seconds, clock
        self._newest, self._newest_at = -1, 0.0
        self._logs = LogReader(views.rpc, views.market)
        self._blocks: LRUCache[bytes, _Events] = LRUCache(_MOST_BLOCKS)
        self._empty: TTLCache[bytes, _Events] = TTLCache(_MOST_BLOCKS, EMPTY_SECONDS, monotonic)
        self._believed: LRUCache[ChainEvent, None] = LRUCache(_MOST_EVENTS)
        self._asking = asyncio.Lock()

    async def has_confirmed(self, block_number: int) -> bool:
        """Whether the node's chain reaches far enough beyond a block for it to be final.

        Raises ChainUnavailable or RpcError: then nothing is known.
        """
        needed = block_number + self._confirmations
        if self._newest < needed:
            async with self._asking:
                if self._newest < needed:
                    await self._look()
        return self._newest >= needed

    def newest_block(self) -> int:
        """The newest block that the node is known to have had, -1 before it was asked."""
        return self._newest

    def has_reached(self, block_number: int) -> bool:
        """Whether the node had a block of that number when it was last asked."""
        return self._newest >= block_number

    def may_be_reached(self, block_number: int) -> bool:
        """Whether a chain can have come so far since the node's newest block; True before the first one."""
        age = max(0.0, self._clock() - self._newest_at)
        return self._newest < 0 or block_number <= self._newest + _MOST_BLOCKS_PER_SECOND * (
            age + FRESH_SECONDS
        )

    def lag(self) -> str | None:
        """What makes one think that the node is behind the chain, None where nothing does."""
        age = self._clock() - self._newest_at
        if age <= FRESH_SECONDS:
            return None
        return f"the node's newest block, {self._newest}, is {age:.0f} seconds old"

    async def fresh_lag(self) -> str | None:
        """As `lag`, after a look at the newest block; raises ChainUnavailable or RpcError."""
        async with self._asking:
            await self._look()
        return self.lag()

    async def check(self, event: ChainEvent) -> None:
        """Return where the node shows exactly this event; its block is confirmed there (`has_confirmed`).

        Raises ProtocolViolation where the node contradicts it: "event_of_other_chain", "event_retracted"
        (what is final is never taken back), "event_not_on_chain" (another block, or no such log of ours),
        "event_altered" (the log says something else), "event_contradicts_state".
        Raises ChainUnavailable or RpcError where the node cannot say now.
        """
        if event.chain_id != self._market.chain_id:
            raise ProtocolViolation(
                "event_of_other_chain", f"chain {event.chain_id}; the market is on {self._market.chain_id}"
            )
        if event.removed:
            raise ProtocolViolation("event_retracted", f"{_place(event)}: a confirmed event is final")
        async with self._asking:  # whoever shares this verifier asks for the same block at the same time
            if event in self._believed:
                return
            await self._check_log(event)
            await self._check_state(event)
            self._believed[event] = None

    async def _look(self) -> None:
        block = await self._views.rpc.call("eth_getBlockByNumber", "latest", False)
        header = entry(block)
        number, at = quantity(header.get("number"), 63), float(quantity(header.get("timestamp"), 63))
        if number >= self._newest:  # of several servers behind one URL the one that is behind answers as well
            self._newest, self._newest_at = number, at

    async def _check_log(self, event: ChainEvent) -> None:
        shown = (await self._events_beside(event)).get(event.log_index)
        if shown is None:
            raise ProtocolViolation("event_not_on_chain", f"{_place(event)}: no such log of the contract")
        if shown != event:
            raise ProtocolViolation("event_altered", f"{_place(event)}: the log there says something else")

    async def _events_beside(self, event: ChainEvent) -> "_Events":
        """The contract's events in the event's block, by the index of their log.

        A node may have a block before its logs, and must not deny those for good: a young block that shows
        none where its header allows for some is no answer yet, an older one is asked for again and not
        remembered for long. A block whose header rules logs out costs no wait, or whoever announces a log in
        such a block would hold up the events of all.
        """
        known = self._blocks.get(event.block_hash, self._empty.get(event.block_hash))
        if known is not None:
            return known
        for look in range(_MOST_LOOKS):
            if look:
                await asyncio.sleep(self._pause_seconds)
            header = await self._header_of(event)
            found = {shown.log_index: shown for shown in await self._logs.in_block(event.block_hash, header)}
            if found or not may_have_logs(header, self._market.contract):
                self._blocks[event.block_hash] = found
                return found
            if self._clock() - quantity(header.get("timestamp"), 63) < EMPTY_SECONDS:
                raise ChainUnavailable(f"the node has block {event.block_number}, but none of its logs yet")
        self._empty[event.block_hash] = found
        return found

    async def _header_of(self, event: ChainEvent) -> Mapping[str, Any]:
        """The header of the block of the event's number, which must be the event's.

        Logs are read by hash: those of its number could be another block's by the time of the question.
        """
        answer = await self._views.rpc.call("eth_getBlockByNumber", hex(event.block_number), False)
        if answer is None:
            raise ChainUnavailable(
                f"the node has no block {event.block_number}, though its newest was {self._newest}: if that "
                "stays so, check what its URL leads to"
            )
        header = entry(answer)
        block_hash = octets(header.get("hash"), 32)
        if block_hash != event.block_hash:
            raise ProtocolViolation(
                "event_not_on_chain", f"{_place(event)}: the block of that number is 0x{block_hash.hex()}"
            )
        return header

    async def _check_state(self, event: ChainEvent) -> None:
        """The logs and the state of one contract do not differ, so a node where they do is asked again."""
        for look in range(_MOST_LOOKS):
            if look:
                await asyncio.sleep(self._pause_seconds)
            found = await difference(self._views, event.event)
            if found is None:
                return
        raise ProtocolViolation("event_contradicts_state", f"{_place(event)}: {found}")


def _place(event: ChainEvent) -> str:
    block = f"block {event.block_number} (0x{event.block_hash.hex()})"
    return f"{event.event.event} in {block}, log {event.log_index}"
