"""Whether a contract event that somebody announced is on the chain, by the word of one's own node.

An announcement is a hint where to look: the node is asked for the block's place in its chain, for the
contract's logs in it, and for what the contract's state says. What was found once is remembered, so that a
block with many events costs no more questions than one.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cachetools import LRUCache

from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from services.chain.contract.codec import decode_log
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable
from services.chain.events.contract_state import difference
from services.chain.rpc.values import octets, quantity

FRESH_SECONDS = 60.0
"""A node whose newest block is older than this may be behind the chain."""

_MOST_BLOCKS = 64
_MOST_EVENTS = 1024
_MOST_LOOKS = 3
"""At a block without the log, or a state that does not fit it: a server behind the same URL may lag."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of the node's chain with the contract's logs in it, by their index."""

    timestamp: int
    logs: Mapping[int, Mapping[str, Any]]


class EventVerifier:
    """Asks one node about the events of one contract; several participants with one node may share it."""

    def __init__(
        self,
        views: MarketplaceViews,
        *,
        confirmations: int,
        pause_seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """An event is final with `confirmations` blocks on top of its own.

        `views` read the newest block, `pause_seconds` are between two looks at a state that does not fit.
        """
        self._views, self._market = views, views.market
        self._confirmations, self._pause_seconds, self._clock = confirmations, pause_seconds, clock
        self._newest, self._newest_at = -1, 0.0
        self._blocks: LRUCache[bytes, _Block] = LRUCache(_MOST_BLOCKS)
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

    def has_reached(self, block_number: int) -> bool:
        """Whether the node had a block of that number when it was last asked."""
        return self._newest >= block_number

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
        number, at = _answered(lambda: (quantity(block["number"]), float(quantity(block["timestamp"]))))
        if number >= self._newest:  # of several servers behind one URL the one that is behind answers as well
            self._newest, self._newest_at = number, at

    async def _check_log(self, event: ChainEvent) -> None:
        block = self._blocks.get(event.block_hash)
        for look in range(_MOST_LOOKS):
            if block is not None and event.log_index in block.logs:
                break
            if look:
                await asyncio.sleep(self._pause_seconds)
            block = await self._block_of(event)
        else:
            # Not remembered: a node that had the block before its logs must not deny those for good.
            raise ProtocolViolation("event_not_on_chain", f"{_place(event)}: no such log of the contract")
        self._blocks[event.block_hash] = block
        log = block.logs[event.log_index]
        shown = _answered(lambda: decode_log(log, self._market.chain_id, block.timestamp))
        if shown != event:
            raise ProtocolViolation("event_altered", f"{_place(event)}: the log there says something else")

    async def _block_of(self, event: ChainEvent) -> _Block:
        """The event's block, which must be in the node's chain.

        Logs are read by hash: those of its number could be another block's by the time of the question.
        """
        header = await self._views.rpc.call("eth_getBlockByNumber", hex(event.block_number), False)
        if header is None:
            raise ChainUnavailable(
                f"the node has no block {event.block_number}, though its newest was {self._newest}: if that "
                "stays so, check what its URL leads to"
            )
        block_hash, timestamp = _answered(lambda: (octets(header["hash"]), quantity(header["timestamp"])))
        if block_hash != event.block_hash:
            raise ProtocolViolation(
                "event_not_on_chain", f"{_place(event)}: the block of that number is 0x{block_hash.hex()}"
            )
        contract = self._market.contract
        query = {"blockHash": header["hash"], "address": contract}
        logs = await self._views.rpc.call("eth_getLogs", query)
        ours = _answered(lambda: [log for log in logs if _is_of(log, contract, block_hash)])
        return _Block(timestamp, _answered(lambda: {quantity(log["logIndex"]): log for log in ours}))

    async def _check_state(self, event: ChainEvent) -> None:
        """The logs and the state of one contract do not differ, so a node where they do is asked again."""
        for look in range(_MOST_LOOKS):
            if look:
                await asyncio.sleep(self._pause_seconds)
            found = await difference(self._views, event.event)
            if found is None:
                return
        raise ProtocolViolation("event_contradicts_state", f"{_place(event)}: {found}")


def _is_of(log: Mapping[str, Any], contract: str, block_hash: bytes) -> bool:
    return bool(log["address"].lower() == contract) and octets(log["blockHash"]) == block_hash


def _answered(read: Callable[[], Value]) -> Value:
    """What is read from a node's answer; raises ChainUnavailable where the answer has another form."""
    try:
        return read()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ChainUnavailable(
            f"the node's answer about a block has not the form of one ({type(error).__name__}): check its URL"
        ) from None


def _place(event: ChainEvent) -> str:
    block = f"block {event.block_number} (0x{event.block_hash.hex()})"
    return f"{event.event.event} in {block}, log {event.log_index}"
