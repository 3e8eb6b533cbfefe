"""Transactions through nodes that are old, restored to an older state, or answer nonsense."""

import asyncio
from contextlib import suppress

import pytest
from eth_account import Account

from services.chain.errors import ChainUnavailable, RpcError
from services.chain.transactions.pending import Fees, SendPolicy, Transaction
from services.chain.transactions.sender import Sender
from tests.support.chain.interposed import interposed_client, opened_trainings

KEY = b"\x07" * 32
HASH = "0x" + "ab" * 32
GARBAGE = [None, True, 7, "", "0x", "pending", [], {}, [None], {"blockNumber": []}, "0x" + "f" * 64]
ASKED = [
    "eth_getTransactionCount",
    "eth_estimateGas",
    "eth_getBlockByNumber",
    "eth_maxPriorityFeePerGas",
    "eth_blockNumber",
    "eth_getTransactionReceipt",
    "eth_getTransactionByHash",
]


class OldNode:
    """Mines each transaction at once; without base fee unless told otherwise."""

    def __init__(self, **answers) -> None:
        self.answers = {
            "eth_getTransactionCount": "0x0",
            "eth_estimateGas": "0x5208",
            "eth_getBlockByNumber": {"gasLimit": "0x1c9c380"},
            "eth_gasPrice": "0x3b9aca00",
            "eth_blockNumber": "0x9",
            "eth_getTransactionReceipt": None,
            "eth_getTransactionByHash": None,
        } | answers
        self.sent = []

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    async def call(self, method, *parameters):
        if method == "eth_sendRawTransaction":
            self.sent.append(parameters[0])
            self.answers["eth_getTransactionReceipt"] = self.receipt()
            return HASH
        if method not in self.answers:
            raise RpcError(method, -32601, "the method does not exist")
        return self.answers[method]

    def receipt(self):
        return {"gasUsed": "0x5208", "transactionHash": HASH, "blockNumber": "0x5", "status": "0x1"}

    def on_block(self, wake) -> None:
        pass


def sender(node) -> Sender:
    return Sender(node, KEY, 1337, SendPolicy(poll_seconds=0.001, lost_seconds=0.002))


async def test_a_chain_without_base_fee_gets_a_transaction_with_a_gas_price() -> None:
    node = OldNode()
    receipt = await sender(node).send("0x" + "11" * 20, b"")
    assert receipt.fee == 0x5208 * 10**9
    (raw,) = node.sent
    assert raw.startswith("0xf8")  # a list: no type byte of EIP-2718 before it
    assert Account.recover_transaction(raw) == Account.from_key(KEY).address


async def test_a_node_that_suggests_no_tip_is_given_the_usual_one() -> None:
    node = OldNode(eth_getBlockByNumber={"gasLimit": "0x1c9c380", "baseFeePerGas": "0x64"})
    await sender(node).send("0x" + "11" * 20, b"")
    assert node.sent[0].startswith("0x02")


@pytest.mark.parametrize(("fees", "raised"), [(Fees(80, None), Fees(91, None)), (Fees(80, 8), Fees(91, 10))])
def test_either_kind_of_fee_is_raised_by_an_eighth(fees, raised) -> None:
    assert fees.raised() == raised
    assert Transaction(1, 0, "0x" + "11" * 20, 0, b"", 21_000, raised).sign(KEY).raw_transaction


async def test_a_legacy_transaction_is_mined_by_a_real_node(anvil_market) -> None:
    await anvil_market.register()
    rpc, client = interposed_client(anvil_market, anvil_market.buyer)

    async def without_base_fee(*parameters):
        block = await anvil_market.rpc.call("eth_getBlockByNumber", *parameters)
        return {name: value for name, value in block.items() if name != "baseFeePerGas"}

    rpc.handlers["eth_getBlockByNumber"] = without_base_fee
    receipt = await client.submit(anvil_market.opening())
    sent = await anvil_market.rpc.call("eth_getTransactionByHash", "0x" + receipt.transaction_hash.hex())
    assert sent["type"] == "0x0"
    assert len(await opened_trainings(anvil_market)) == 1


@pytest.mark.parametrize("method", ASKED)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: repr(answer)[:20])
async def test_an_answer_of_a_wrong_type_is_none(method, answer) -> None:
    """What is sent waits until the node answers rightly; what is not yet sent raises ChainUnavailable."""
    node = OldNode(eth_getBlockByNumber={"gasLimit": "0x1c9c380", "baseFeePerGas": "0x64"})
    node.answers["eth_maxPriorityFeePerGas"] = "0x1"
    right = node.answers[method]
    looks = asyncio.Event()

    class Wrong(OldNode):
        async def call(self, asked, *parameters):
            result = await node.call(asked, *parameters)
            if asked == method and node.sent:
                looks.set()
            return answer if asked == method and right is not looks else result

    async def mend() -> None:
        nonlocal right
        await looks.wait()
        right = looks

    mending = asyncio.create_task(mend())
    async with asyncio.timeout(300):
        with suppress(ChainUnavailable):
            assert (await sender(Wrong()).send("0x" + "11" * 20, b"")).succeeded
    mending.cancel()


async def test_a_node_restored_to_an_older_state_opens_nothing_twice(anvil_market) -> None:
    """It has forgotten the block of the opening, and counts the account's transactions as before it."""
    market = anvil_market
    await market.register()
    # The opening goes out alone: it waits until the buyer's registration, mined in any place among the
    # others', is final, and nothing else makes blocks here.
    await market.rpc.call("anvil_mine", "0x2")
    older = await market.rpc.call("evm_snapshot")
    _, client = interposed_client(market, market.buyer, confirmations=2, lost_seconds=0.01)
    opening = asyncio.create_task(client.submit(market.opening()))
    async with asyncio.timeout(300):
        while not await opened_trainings(market):
            await asyncio.sleep(0.005)
        assert await market.rpc.call("evm_revert", older)
        while not opening.done():
            await market.rpc.call("evm_mine")
            await asyncio.sleep(0.01)
    assert opening.result().succeeded
    assert len(await opened_trainings(market)) == 1
