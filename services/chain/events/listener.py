"""The contract's events from a node to a publisher: none lost across restarts and reorganisations, in order.

Two streams: `seen` has events of the newest block, and takes them back (`removed`) when a reorganisation
does; `confirmed` has events with enough blocks on top, and roles act on it alone. Every step stores what is
to be published together with the cursor; an EventOutbox publishes it. Consumers drop repetitions by (chain
id, block hash, log index).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from protocol.codec import pack, unpack
from protocol.errors import MisuseError
from protocol.messages import ChainEvent
from protocol.records import Market
from services.chain.contract.logs import LogReader
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable, RpcError, WrongChain
from services.chain.events.cursor import Cursor, SeenBlock
from services.chain.events.event_outbox import EventOutbox, Stream, StreamedEvent
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import entry, octets, quantity
from services.common.errors import StoreUnavailable
from services.common.outages import Outage
from services.common.tasks import wait_for_event
from services.store.waiting import pause

_log = structlog.get_logger(__name__)

_MOST_BLOCKS_PER_STEP = 32
_HISTORY_PER_STEP = 20_000
_USUAL_LAG = 3
"""Blocks between nodes at one address that are in order."""


class ChainListener:
    """Follows one contract on one chain."""

    def __init__(
        self,
        rpc: Rpc,
        market: Market,
        outbox: EventOutbox,
        *,
        confirmations: int = 12,
        first_block: int = 0,
        window: int = 128,
        poll_seconds: float = 2.0,
    ) -> None:
        """`confirmations` blocks on top make a block final (0 on a chain that never reorganises).

        `first_block` is the contract's own; `window` blocks are remembered to find a reorganisation's
        ancestor.
        """
        if not 0 <= confirmations < window:
            raise MisuseError(
                f"{confirmations} confirmations with a window of {window} blocks: use a larger window"
            )
        self._rpc, self._market, self._outbox = rpc, market, outbox
        self._confirmations, self._window = confirmations, window
        self._first_block, self._poll_seconds = first_block, poll_seconds
        self._logs = LogReader(rpc, market)
        self._cursor: Cursor | None = None
        self._saved: Cursor | None = None
        self._unsaved: list[StreamedEvent] = []
        self._blocks_per_step = _MOST_BLOCKS_PER_STEP
        self._woken = asyncio.Event()
        self._head: int | None = None
        self.trouble: str | None = None
        """What keeps events from being read since the last look at the chain, and the remedy."""
        self.on_cycle: Callable[[], None] = lambda: None
        self._failures = Outage(_log, "chain_poll_failed", "chain_read_again")
        self._lag = Outage(_log, "node_behind", "node_caught_up")

    def blocks(self) -> tuple[int, int] | None:
        """The chain's newest block and the last that is confirmed; None before the first look."""
        return None if self._head is None else (self._head, self._position.next_confirmed - 1)

    async def run(self) -> None:
        """Follow the chain until cancelled.

        Raises WrongChain and DeepReorganisation. A node or a store that does not answer is asked again.
        """
        self._rpc.on_block(self._woken.set)
        while True:
            self._woken.clear()
            self.on_cycle()
            more = False
            try:
                more = await self.step()
                self._failures.works()
                self._note_lag()
            except (ChainUnavailable, RpcError) as error:
                self.trouble = str(self._failures.failed(error))
            except StoreUnavailable as error:  # what was read is kept, and saved by a later step
                await pause(error)
            if not more:
                await wait_for_event(self._woken, self._poll_seconds)

    def check(self) -> None:
        """Raise ChainUnavailable while the node answers, but not with the chain's events."""
        if self.trouble is not None:
            raise ChainUnavailable(self.trouble)

    def _note_lag(self) -> None:
        """A node behind what it, or another at its address, had before is waited for: nothing is undone."""
        seen, head = self._position.next_seen - 1, self._head or 0
        self.trouble = None
        if seen - head <= _USUAL_LAG:
            self._lag.works()
            return
        self.trouble = (
            f"the node's newest block is {head}, but {seen} was seen: it lags or was restored from an "
            "older state; events go on once it is there again, so let it catch up"
        )
        self._lag.failed(ChainUnavailable(self.trouble))

    async def step(self) -> bool:
        """Store what is next to publish and how far that is; False where the newest block is reached."""
        cursor = self._cursor or await self._start()
        try:
            await self._rewind(cursor)
            head = self._head = quantity(await self._rpc.call("eth_blockNumber"), 63)
            if head >= self._position.next_seen + self._window:
                await self._read_history(head - self._window)
                return True
            return await self._read_blocks(head) and self._position.next_seen <= head
        except (ChainUnavailable, RpcError):
            # A node that fails at every few requests would never have all the blocks of a large step.
            self._blocks_per_step = max(1, self._blocks_per_step // 2)
            raise
        finally:  # what was read before an error need not be read again after it
            self._save()

    @property
    def _position(self) -> Cursor:
        assert self._cursor is not None, "a step begins with a cursor"
        return self._cursor

    def _stream(self, stream: Stream, events: Iterable[ChainEvent]) -> None:
        self._unsaved += [StreamedEvent(stream=stream, event=event) for event in events]

    def _save(self) -> None:
        if self._position is not self._saved:
            self._outbox.save(pack(self._position), self._unsaved)
            self._saved, self._unsaved = self._position, []

    async def _start(self) -> Cursor:
        """Check that this is the market's chain, then continue where the last run stopped."""
        await MarketplaceViews(self._rpc, self._market, first_block=self._first_block).check_deployment()
        (block,) = await self._headers([0])
        genesis = octets(entry(block).get("hash"), 32)
        stored = self._outbox.load()
        cursor = Cursor.start(genesis, self._first_block) if stored is None else unpack(Cursor, stored)
        if cursor.genesis != genesis:
            raise WrongChain(
                f"chain {self._market.chain_id} at this node begins with another block than before: "
                "check the node's URL, or start with an empty store if the chain was created anew"
            )
        self._cursor = self._saved = cursor
        return cursor

    async def _rewind(self, cursor: Cursor) -> None:
        """Take back what is no longer in the node's chain; one request while nothing changed."""
        if cursor.tip is None or await self._hashes([cursor.tip]) == {cursor.tip.number: cursor.tip.hash}:
            return
        self._cursor, vanished = cursor.rewind(await self._hashes(cursor.blocks))
        self._stream("seen", vanished)

    async def _hashes(self, blocks: Sequence[SeenBlock]) -> dict[int, bytes]:
        """What stands in the chain at the numbers of these blocks; without those that it does not reach."""
        headers = await self._headers(block.number for block in blocks)
        return {
            quantity(header.get("number"), 63): octets(header.get("hash"), 32)
            for header in map(entry, filter(None, headers))
        }

    async def _headers(self, numbers: Iterable[int]) -> list[Any]:
        return await self._rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])

    async def _read_history(self, last: int) -> None:
        """Blocks too old to be taken back, by ranges: seen and confirmed in one go."""
        cursor, waiting = self._position.confirm(0)  # a whole window of blocks is on top by now
        last = min(last, cursor.next_seen + _HISTORY_PER_STEP - 1)
        events = await self._logs.in_range(cursor.next_seen, last)
        self._stream("confirmed", waiting)
        self._stream("seen", events)
        self._stream("confirmed", events)
        self._cursor = cursor.pass_history(last + 1)

    async def _read_blocks(self, head: int) -> bool:
        """New blocks one by one, each with its own logs; False where the chain changed meanwhile."""
        first = self._position.next_seen
        for header in await self._headers(range(first, min(head + 1, first + self._blocks_per_step))):
            block = None if header is None else await self._block(entry(header))
            if block is None or not self._position.follows(block):
                return False  # the next step finds the ancestor
            cursor, final = self._position.see(block, self._window).confirm(self._confirmations)
            self._stream("seen", block.events)
            self._stream("confirmed", final)
            self._cursor = cursor
        self._blocks_per_step = min(_MOST_BLOCKS_PER_STEP, 2 * self._blocks_per_step)
        return True

    async def _block(self, header: Mapping[str, Any]) -> SeenBlock:
        """Logs are read by hash: by number, a reorganisation between two reads would lose some."""
        block_hash = octets(header.get("hash"), 32)
        return SeenBlock(
            number=quantity(header.get("number"), 63),
            hash=block_hash,
            parent=octets(header.get("parentHash"), 32),
            events=tuple(await self._logs.in_block(block_hash, header)),
        )
