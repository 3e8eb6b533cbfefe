"""Reading logs: much of them at once holds nobody else up."""

import asyncio

import pytest
from eth_hash.auto import keccak

from protocol.records import Market
from services.chain.contract.logs import LogReader
from services.chain.errors import ChainUnavailable, NodeOverloaded, RpcError
from tests.support.chain.wrong_values import WRONG_VALUES

WITHDRAWN = "0x" + keccak(b"Withdrawn(address,address,address,uint256)").hex()
ACCOUNT = "0x" + "ab" * 20

EMPTY = {"receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"}
"""What the header of a block without logs says."""


class Node:
    """Answers eth_getLogs with many of them."""

    def __init__(self, count) -> None:
        self.logs = [
            {
                "address": ACCOUNT,
                "topics": [WITHDRAWN, *("0x" + ACCOUNT[2:].rjust(64, "0"),) * 3],
                "data": f"0x{5:064x}",
                "blockNumber": "0x1",
                "blockHash": "0x" + "11" * 32,
                "blockTimestamp": "0x5",
                "transactionHash": "0x" + "22" * 32,
                "logIndex": hex(number),
            }
            for number in range(count)
        ]

    async def batch(self, requests) -> list[object]:
        return [self.logs, *(EMPTY for _ in requests[1:])] if requests else []


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


class PagedNode:
    """One log in each block up to its head; pages above a size fail as `failure` says."""

    def __init__(self, head=1_000, most=10**9, failure=None) -> None:
        self.head, self.most, self.failure = head, most, failure
        self.asked = []

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    async def call(self, method, *parameters):
        if method == "eth_getBlockByNumber":
            return {"timestamp": "0x5", **EMPTY} if int(parameters[0], 16) <= self.head else None
        (query,) = parameters
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        self.asked.append(last - first + 1)
        if last - first + 1 > self.most:
            raise self.failure
        return [self.log(number) for number in range(first, min(last, self.head) + 1)]

    def log(self, number):
        (log,) = Node(1).logs
        return log | {"blockNumber": hex(number), "blockHash": f"0x{number:064x}"}


MARKET = Market(chain_id=1, contract=ACCOUNT)


@pytest.mark.parametrize(
    "failure",
    [NodeOverloaded("timed out"), RpcError("eth_getLogs", -32005, "query returned more than 10000 results")],
    ids=["timeout", "too many results"],
)
async def test_a_page_that_is_too_much_for_the_node_is_halved(failure) -> None:
    node = PagedNode(most=300, failure=failure)
    events = await LogReader(node, MARKET).in_range(1, 1_000)
    assert [event.block_number for event in events] == list(range(1, 1_001))
    assert max(node.asked[3:]) <= 450


async def test_a_node_that_manages_nothing_is_left_alone_and_asked_for_less_the_next_time() -> None:
    node = PagedNode(most=20, failure=NodeOverloaded("HTTP 503"))
    reader = LogReader(node, MARKET)
    with pytest.raises(NodeOverloaded):
        await reader.in_range(1, 1_000)
    assert len(node.asked) == 5
    assert len(await reader.in_range(1, 1_000)) == 1_000


async def test_an_empty_answer_of_a_node_that_lags_is_none() -> None:
    with pytest.raises(ChainUnavailable, match="has no block 20 yet"):
        await LogReader(PagedNode(head=10), MARKET).in_range(11, 20)
    with pytest.raises(ChainUnavailable, match="lags"):
        await LogReader(PagedNode(head=15), MARKET).in_range(11, 20)


class LateIndex(PagedNode):
    """Has no logs of its newest blocks yet, but their receipts."""

    def __init__(self, settled, receipts=True) -> None:
        super().__init__(head=20)
        self.settled, self.receipts = settled, receipts

    async def call(self, method, *parameters):
        if method == "eth_getBlockReceipts":
            self.asked.append(int(parameters[0], 16))
            return [{"logs": [self.log(self.asked[-1])]}] if self.receipts else None
        answer = await super().call(method, *parameters)
        if method == "eth_getLogs":
            return [log for log in answer if int(log["blockNumber"], 16) <= self.settled]
        return answer and answer | {
            "hash": f"0x{int(parameters[0], 16):064x}",
            "receiptsRoot": "0x" + "34" * 32,
            "logsBloom": "0x" + "ff" * 256,
        }


async def test_an_empty_answer_for_a_range_whose_blocks_have_logs_is_none() -> None:
    node = LateIndex(settled=17)
    events = await LogReader(node, MARKET).in_range(1, 20, [WITHDRAWN])
    assert [event.block_number for event in events] == list(range(1, 21))
    assert node.asked == [20, 18, 19, 20]
    # The receipts of blocks that hold other events are no answer to this question.
    assert len(await LogReader(node, MARKET).in_range(1, 20, [None, "0x" + "77" * 32])) == 17
    assert len(await LogReader(node, MARKET).in_range(1, 20, [None, None, "0x" + "77" * 32])) == 17
    with pytest.raises(ChainUnavailable):
        await LogReader(LateIndex(settled=17, receipts=False), MARKET).in_range(1, 20)


@pytest.mark.parametrize("told", ["0x0", None, 5, "soon"], ids=repr)
async def test_a_log_that_does_not_tell_its_blocks_time_has_it_from_the_block(told) -> None:
    """No verifier believes an event with the time 0, and what it refuses is lost for good."""

    class Timeless(LateIndex):
        def log(self, number):
            return super().log(number) | {"blockTimestamp": told}

        async def call(self, method, *parameters):
            if method == "eth_getBlockByHash":
                return {"timestamp": "0x7"}
            return await super().call(method, *parameters)

    events = await LogReader(Timeless(settled=17), MARKET).in_range(1, 20, [WITHDRAWN])
    assert [event.timestamp for event in events] == [7] * 20


@pytest.mark.parametrize(
    "field", ["address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"]
)
@pytest.mark.parametrize("value", WRONG_VALUES, ids=lambda value: repr(value)[:12])
async def test_a_log_that_is_none_is_not_left_out(field, value) -> None:
    """It may be the log of an event that nobody would then ever hear of."""
    node = PagedNode()
    (log,) = Node(1).logs
    node.log = lambda _number: log | {field: value}
    fits = (field == "data" and value == "0x") or (field == "topics" and value == [])
    if fits:  # well formed, so it is the contract's fault that no event is in it
        assert await LogReader(node, MARKET).in_range(1, 1) == []
        return
    with pytest.raises(ChainUnavailable):
        await LogReader(node, MARKET).in_range(1, 1)


async def test_a_log_of_another_block_or_contract_is_not_left_out() -> None:
    node = PagedNode()
    (log,) = Node(1).logs
    for other in ({"blockNumber": "0x2"}, {"address": "0x" + "cd" * 20}):
        node.log = lambda _number, other=other: log | other
        with pytest.raises(ChainUnavailable, match="the node gave a log of"):
            await LogReader(node, MARKET).in_range(1, 1)


@pytest.mark.parametrize("answer", [None, 7, "0x", {}, [7], [None], [[]]], ids=repr)
async def test_logs_that_are_no_list_of_objects(answer) -> None:
    class Wrong(PagedNode):
        async def call(self, method, *parameters):
            return answer if method == "eth_getLogs" else await super().call(method, *parameters)

    with pytest.raises(ChainUnavailable):
        await LogReader(Wrong(), MARKET).in_range(1, 1)


class BlockNode:
    """A block whose logs the node has not indexed yet: only its receipts hold them."""

    HASH = "0x" + "11" * 32

    def __init__(self, receipts) -> None:
        self.receipts = receipts

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    async def call(self, method, *_parameters):
        if method == "eth_getBlockReceipts":
            if isinstance(self.receipts, Exception):
                raise self.receipts
            return self.receipts
        return [] if method == "eth_getLogs" else {"timestamp": "0x5"}


MAY_HAVE_LOGS = {"logsBloom": "0x" + "ff" * 256}
NO_LOGS = {"logsBloom": "0x" + "00" * 255 + "01"}


async def test_a_block_that_a_node_has_before_its_logs() -> None:
    (log,) = Node(1).logs
    other = log | {"address": "0x" + "cd" * 20}
    reader = LogReader(BlockNode([{"logs": [other]}, {"logs": [log]}]), MARKET)
    assert await reader.in_block(b"\x11" * 32, NO_LOGS) == []
    (event,) = await reader.in_block(b"\x11" * 32, MAY_HAVE_LOGS)
    assert event.timestamp == 5


@pytest.mark.parametrize("receipts", [None, 7, [7], [{}], [{"logs": None}]], ids=repr)
async def test_receipts_that_are_not_there_yet_are_waited_for(receipts) -> None:
    with pytest.raises(ChainUnavailable):
        await LogReader(BlockNode(receipts), MARKET).in_block(b"\x11" * 32, MAY_HAVE_LOGS)


@pytest.mark.parametrize("code", [-32601, -32004, -32604], ids=["JSON-RPC 2.0", "EIP-1474", "Besu"])
async def test_a_node_without_receipts_of_a_block_is_believed(code) -> None:
    reader = LogReader(BlockNode(RpcError("eth_getBlockReceipts", code, "no such method")), MARKET)
    assert await reader.in_block(b"\x11" * 32, MAY_HAVE_LOGS) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "unknown block"),
        (-32603, "internal error"),
        (-32005, "limit exceeded"),
        (-32602, "method eth_getBlockReceipts not found"),
        (3, "the method does not exist"),
        (0, "method not found"),
    ],
    ids=str,
)
async def test_a_node_that_refuses_receipts_otherwise_is_not_believed(code, message) -> None:
    """Whatever its text says: an event would be lost whose receipts it could not give just then."""
    reader = LogReader(BlockNode(RpcError("eth_getBlockReceipts", code, message)), MARKET)
    with pytest.raises(ChainUnavailable, match="did not give the receipts"):
        await reader.in_block(b"\x11" * 32, MAY_HAVE_LOGS)
