"""The contract's logs as typed events, read in pages that the node is able to answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from protocol.records import Market
from services.chain.contract.bloom import may_have_logs
from services.chain.contract.codec import decode_log
from services.chain.errors import ChainUnavailable, NodeOverloaded, RpcError
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import entries, entry, octets, quantity

_log = structlog.get_logger(__name__)

_FIRST_PAGE = 2_000
_MOST_PAGE = 50_000
_MOST_FAILURES = 4
"""In a row, of a node that does not manage a page: then it is left alone for a while."""

_NO_SUCH_METHOD = frozenset({-32601, -32004, -32604})
"""Not every node has the receipts of whole blocks; codes of JSON-RPC 2.0, EIP-1474 and Besu."""

_MOST_UNSETTLED = 16
"""Newest blocks of a range that a node may have before their logs."""

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
        """Events of these blocks, both included, in chain order; `topics` as in eth_getLogs.

        Raises ChainUnavailable where the node does not have the last of them.
        """
        events: list[ChainEvent] = []
        failures = 0
        while from_block <= to_block:
            last = min(to_block, from_block + self._page - 1)
            try:
                unsettled = _MOST_UNSETTLED if last == to_block else 1
                events += await self._read_page(from_block, last, topics, unsettled)
            except (RpcError, NodeOverloaded) as error:
                failures += isinstance(error, NodeOverloaded)
                if self._page == 1 or failures > _MOST_FAILURES:
                    raise
                self._page = max(1, self._page // 2)
                _log.warning("log_page_halved", blocks=self._page, reason=str(error))
                continue
            failures = 0
            from_block = last + 1
            self._page = min(_MOST_PAGE, self._page + max(1, self._page // 8))
        return events

    async def in_block(self, block_hash: bytes, header: Mapping[str, Any]) -> list[ChainEvent]:
        """Events of exactly this block.

        The node refuses (RpcError) when it does not know it, or raises ChainUnavailable. Where its `header`
        says that the contract may have logs in it, an answer without any is checked: some nodes have a block
        before its logs.
        """
        shown = "0x" + block_hash.hex()
        logs, block = await self._rpc.batch(
            [
                ("eth_getLogs", [{"address": self._market.contract, "blockHash": shown}]),
                ("eth_getBlockByHash", [shown, False]),
            ]
        )
        if block is None:
            raise ChainUnavailable(f"the node has no block {shown}, which was in its chain before: it lags")
        if logs == [] and may_have_logs(header, self._market.contract):
            logs = await self._by_receipts(shown)
        found = _checked(logs, self._market.contract)
        if any(log["blockHash"] != shown for log in found):
            raise ChainUnavailable(f"the node gave a log of another block for those of {shown}")
        return await self._events(found, {shown: quantity(entry(block).get("timestamp"), 63)})

    async def _read_page(
        self, first: int, last: int, topics: Sequence[str | None], unsettled: int
    ) -> list[ChainEvent]:
        """The last `unsettled` blocks without logs are held against their bloom filters."""
        query = {
            "address": self._market.contract,
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "topics": list(topics),
        }
        # In one trip: behind one address there may be several nodes, and one that lags has no logs there.
        numbers = range(max(first, last + 1 - unsettled), last + 1)
        logs, *headers = await self._rpc.batch(
            [
                ("eth_getLogs", [query]),
                *(("eth_getBlockByNumber", [hex(number), False]) for number in numbers),
            ]
        )
        if headers[-1] is None:
            raise ChainUnavailable(
                f"the node has no block {last} yet, so its logs are not all there: it lags behind another at "
                "the same address, or was restored; wait until it has caught up"
            )
        found = _checked(logs, self._market.contract)
        if strays := [
            log["blockNumber"] for log in found if not first <= quantity(log["blockNumber"]) <= last
        ]:
            raise ChainUnavailable(f"the node gave a log of block {strays[0]} for blocks {first} to {last}")
        found += _checked(await self._not_indexed(found, headers, topics), self._market.contract)
        return await self._events(found, await self._times(found))

    async def _not_indexed(
        self, found: Sequence[Mapping[str, Any]], headers: Sequence[Any], topics: Sequence[str | None]
    ) -> list[Mapping[str, Any]]:
        """The logs of those of these blocks that the node has without their logs."""
        present = {octets(log["blockHash"]) for log in found}
        wanted = [topic for topic in topics if topic is not None]
        logs: list[Mapping[str, Any]] = []
        for header in map(entry, headers):
            if not may_have_logs(header, self._market.contract, *wanted):
                continue
            block_hash = octets(header.get("hash"), 32)
            if block_hash not in present:
                logs += await self._by_receipts("0x" + block_hash.hex())
        return [log for log in logs if _fits(log, topics)]

    async def _by_receipts(self, block_hash: str) -> list[Mapping[str, Any]]:
        """The contract's logs in a block from its receipts, which a node has or has not as a whole."""
        try:
            receipts = entries(await self._rpc.call("eth_getBlockReceipts", block_hash))
        except RpcError as error:
            if error.code not in _NO_SUCH_METHOD:
                raise ChainUnavailable(
                    f"the node did not give the receipts of {block_hash}: {error}"
                ) from None
            return []  # believed: a bloom filter says wrongly of many blocks that they have such logs
        contract = self._market.contract
        logs = [log for receipt in receipts for log in entries(receipt.get("logs"))]
        return [log for log in logs if str(log.get("address")).lower() == contract]

    async def _events(self, logs: Sequence[Mapping[str, Any]], times: Mapping[str, int]) -> list[ChainEvent]:
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
        times = {log["blockHash"]: at for log in logs if (at := _time_in(log))}
        missing = sorted({log["blockHash"] for log in logs} - times.keys())
        blocks = await self._rpc.batch([("eth_getBlockByHash", [value, False]) for value in missing])
        for value, block in zip(missing, blocks, strict=True):
            if block is None:
                raise RpcError("eth_getBlockByHash", 0, f"block {value} vanished while its logs were read")
            times[value] = quantity(entry(block).get("timestamp"), 63)
        return times


def _time_in(log: Mapping[str, Any]) -> int:
    """The time of its block as a log tells it; 0 where it does not.

    Some nodes write zero (go-ethereum 1.16 in the receipts of a block) or another form (Sonic): no verifier
    would believe an event with that time.
    """
    try:
        return quantity(log.get("blockTimestamp"), 63)
    except ChainUnavailable:
        return 0


def _fits(log: Mapping[str, Any], topics: Sequence[str | None]) -> bool:
    """Whether eth_getLogs would give a log for these topics."""
    has = log.get("topics")
    return (
        isinstance(has, list)
        and len(has) >= len(topics)
        and all(topic in (None, one) for topic, one in zip(topics, has, strict=False))
    )


def _checked(answer: Any, contract: str) -> list[Mapping[str, Any]]:
    """The logs of an answer, which must be what JSON-RPC says and the contract's.

    Raises ChainUnavailable for anything else: to leave such a log out would lose an event.
    """
    logs = entries(answer)
    for log in logs:
        octets(log.get("data"))
        octets(log.get("blockHash"), 32)
        octets(log.get("transactionHash"), 32)
        quantity(log.get("blockNumber"), 63)
        quantity(log.get("logIndex"), 32)
        topics = log.get("topics")
        for topic in topics if isinstance(topics, list) else [topics]:
            octets(topic, 32)
        if octets(log.get("address"), 20) != octets(contract):
            raise ChainUnavailable(f"the node gave a log of {log['address']} for one of {contract}")
    return [log for log in logs if log.get("removed") is not True]
