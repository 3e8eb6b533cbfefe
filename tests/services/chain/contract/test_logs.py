"""Reading logs: much of them at once holds nobody else up."""

import asyncio

from eth_hash.auto import keccak

from protocol.records import Market
from services.chain.contract.logs import LogReader

WITHDRAWN = "0x" + keccak(b"Withdrawn(address,uint256)").hex()
ACCOUNT = "0x" + "ab" * 20


class Node:
    """Answers eth_getLogs with many of them."""

    def __init__(self, count) -> None:
        self._logs = [
            {
                "topics": [WITHDRAWN, "0x" + ACCOUNT[2:].rjust(64, "0")],
                "data": f"0x{5:064x}",
                "blockNumber": "0x1",
                "blockHash": "0x" + "11" * 32,
                "blockTimestamp": "0x5",
                "transactionHash": "0x" + "22" * 32,
                "logIndex": hex(number),
            }
            for number in range(count)
        ]

    async def call(self, _method, *_parameters) -> object:
        return self._logs

    async def batch(self, _requests) -> list[object]:
        return []


async def test_others_have_their_turn_while_many_logs_are_decoded() -> None:
    """A daemon whose loop stands still is restarted by its watchdog, and would read the same page again."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    events = await LogReader(Node(300), Market(chain_id=1, contract=ACCOUNT)).in_range(0, 1)
    counting.cancel()
    assert [event.log_index for event in events] == list(range(300))
    assert turns >= 5
