"""The contract's logs as typed events, read in pages that the node is able to answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from protocol.records import Market
from services.chain.contract.codec import decode_log
from services.chain.errors import RpcError
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import quantity

_log = structlog.get_logger(__name__)

_FIRST_PAGE = 2_000
_MOST_PAGE = 50_000
_LOGS_AT_ONCE = 50
"""Decoded without giving up the loop: web3.py takes about a millisecond for each."""


class LogReader:
    """Reads one contract's events. The page shrinks when the node refuses a range and grows back after."""

    def __init__(self, rpc: Rpc, market: Market) -> None:
        self._rpc, self._market = rpc, market
        self._page = _FIRST_PAGE

    async def in_range(
        self, from_block: int, to_block: int, topics: Sequence[str | None] = ()
    ) -> list[ChainEvent]:
        """Events of these blocks, both included, in chain order; `topics` as in eth_getLogs."""
        events: list[ChainEvent] = []
        while from_block <= to_block:
            last = min(to_block, from_block + self._page - 1)
            query = {"fromBlock": hex(from_block), "toBlock": hex(last), "topics": list(topics)}
            try:
                events += await self._events(query)
            except RpcError:
                if self._page == 1:
                    raise
                self._page = max(1, self._page // 2)
                continue
            from_block = last + 1
            self._page = min(_MOST_PAGE, self._page + max(1, self._page // 8))
        return events

    async def in_block(self, block_hash: bytes) -> list[ChainEvent]:
        """Events of exactly this block; the node refuses (RpcError) when it does not know it."""
        return await self._events({"blockHash": "0x" + block_hash.hex()})

    async def _events(self, query: Mapping[str, Any]) -> list[ChainEvent]:
        logs = await self._rpc.call("eth_getLogs", {"address": self._market.contract, **query})
        times = await self._times(logs)
        events: list[ChainEvent] = []
        for number, log in enumerate(logs, start=1):
            event = self._decode(log, times[log["blockHash"]])
            if event is not None:
                events.append(event)
            if number % _LOGS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return sorted(events, key=lambda event: (event.block_number, event.log_index))

    def _decode(self, log: Mapping[str, Any], timestamp: int) -> ChainEvent | None:
        try:
            return decode_log(log, self._market.chain_id, timestamp)
        except ProtocolViolation as violation:
            # No role could act on it; stopping here would let one such log silence all others.
            _log.error("malformed_log", reason=str(violation), transaction=log.get("transactionHash"))
            return None

    async def _times(self, logs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """The time of each block with logs; many nodes put it into the log."""
        times = {
            log["blockHash"]: quantity(log["blockTimestamp"]) for log in logs if log.get("blockTimestamp")
        }
        missing = sorted({log["blockHash"] for log in logs} - times.keys())
        blocks = await self._rpc.batch([("eth_getBlockByHash", [value, False]) for value in missing])
        for value, block in zip(missing, blocks, strict=True):
            if block is None:
                raise RpcError("eth_getBlockByHash", 0, f"block {value} vanished while its logs were read")
            times[value] = quantity(block["timestamp"])
        return times
