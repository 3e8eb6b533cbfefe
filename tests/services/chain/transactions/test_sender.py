"""Many calls of one key at once, lost answers, lost transactions, fees."""

import asyncio

import pytest

from services.chain.errors import ChainUnavailable, RpcError
from tests.support.chain.interposed import interposed_client, opened_trainings


async def test_concurrent_calls_of_one_key_all_take_effect(registered) -> None:
    market = registered
    nonce = int(await market.rpc.call("eth_getTransactionCount", market.buyer.address, "latest"), 16)
    openings = [market.opening(request_hash=bytes([index]) * 32) for index in range(1, 13)]
    receipts = await asyncio.gather(*(market.buyer.submit(opening) for opening in openings))
    assert len({receipt.transaction_hash for receipt in receipts}) == 12
    opened = await opened_trainings(market)
    assert sorted(event.terms.request_hash for event in opened) == [o.terms.request_hash for o in openings]
    assert await market.buyer.total_escrow() == 12 * openings[0].deposit
    after = int(await market.rpc.call("eth_getTransactionCount", market.buyer.address, "latest"), 16)
    assert after == nonce + 12


async def test_a_call_counts_only_once_confirmed(registered) -> None:
    market = registered
    _, client = interposed_client(market, market.buyer, confirmations=2)
    call = asyncio.create_task(client.submit(market.opening()))
    async with asyncio.timeout(300):
        while not await opened_trainings(market):
            await asyncio.sleep(0.005)
    for _ in range(2):
        await asyncio.sleep(0.05)  # time enough to return too early
        assert not call.done()
        await market.rpc.call("evm_mine")
    async with asyncio.timeout(300):
        await call
    assert (await call).succeeded


async def test_the_same_opening_from_many_tasks_opens_once(registered) -> None:
    market = registered
    await asyncio.gather(*(market.buyer.submit(market.opening()) for _ in range(6)))
    assert len(await opened_trainings(market)) == 1


async def test_an_opening_whose_answer_was_lost_is_not_sent_again(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer)

    async def lose_answer(raw):
        await market.rpc.call("eth_sendRawTransaction", raw)
        raise ChainUnavailable("the connection broke")

    rpc.handlers["eth_sendRawTransaction"] = lose_answer
    with pytest.raises(ChainUnavailable):
        await client.submit(market.opening())
    rpc.handlers.clear()
    assert (await client.submit(market.opening())).transaction_hash == b""
    assert len(await opened_trainings(market)) == 1


async def test_an_opening_mined_while_it_is_sent_again_is_not_doubled(registered) -> None:
    """The first attempt is mined after the second has looked for it and before it takes a nonce."""
    market = registered
    rpc, client = interposed_client(market, market.buyer)
    kept = []

    async def keep(raw):
        kept.append(raw)
        raise ChainUnavailable("the connection broke")

    async def mine_first(*parameters):
        while kept:
            await market.rpc.call("eth_sendRawTransaction", kept.pop())
        return await market.rpc.call("eth_getTransactionCount", *parameters)

    rpc.handlers["eth_sendRawTransaction"] = keep
    with pytest.raises(ChainUnavailable):
        await client.submit(market.opening())
    rpc.handlers = {"eth_getTransactionCount": mine_first}
    assert (await client.submit(market.opening())).succeeded
    assert len(await opened_trainings(market)) == 1


async def test_a_transaction_that_ran_out_of_gas_is_not_refused(registered) -> None:
    """Others that are mined before it can make it cost more than was estimated."""
    market = registered
    rpc, client = interposed_client(market, market.buyer)

    async def too_little(*_parameters):
        return hex(60_000)

    rpc.handlers["eth_estimateGas"] = too_little
    with pytest.raises(ChainUnavailable, match="ran out of its 90000 gas"):
        await client.submit(market.opening())
    rpc.handlers.clear()
    assert (await client.submit(market.opening())).succeeded
    assert len(await opened_trainings(market)) == 1


def losing(rpc, most: int) -> list[str]:
    """The transactions that the node answers for and loses, so many of them; then `rpc` is its own again."""
    lost: list[str] = []

    async def lose(raw):
        lost.append(raw)
        if len(lost) == most:
            rpc.handlers.clear()
        return "0x" + "0" * 64

    rpc.handlers["eth_sendRawTransaction"] = lose
    return lost


async def test_a_transaction_that_the_pool_lost_is_sent_again_with_a_higher_fee(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer, bump_seconds=0.02)
    lost = losing(rpc, 2)
    assert (await client.submit(market.opening())).succeeded
    assert len(set(lost)) == 2
    assert len(await opened_trainings(market)) == 1


async def test_a_transaction_that_the_node_forgot_is_sent_again_as_it_is(registered) -> None:
    """A node that was started anew has its blocks and an empty pool."""
    market = registered
    rpc, client = interposed_client(market, market.buyer, lost_seconds=0.02)
    lost = losing(rpc, 3)
    assert (await client.submit(market.opening())).succeeded
    assert (len(lost), len(set(lost))) == (3, 1)
    assert len(await opened_trainings(market)) == 1


async def test_a_transaction_whose_block_is_no_more_is_sent_again_as_it_is(registered) -> None:
    """After a reorganisation a node may still tell of the block that the transaction was in."""
    market = registered
    rpc, client = interposed_client(market, market.buyer, lost_seconds=0.02)
    lost = losing(rpc, 3)

    async def in_a_replaced_block(value):
        return {"hash": value, "blockNumber": "0x1", "blockHash": "0x" + "11" * 32}

    rpc.handlers["eth_getTransactionByHash"] = in_a_replaced_block
    assert (await client.submit(market.opening())).succeeded
    assert (len(lost), len(set(lost))) == (3, 1)
    assert len(await opened_trainings(market)) == 1


async def test_a_pool_that_holds_another_transaction_of_the_nonce_is_outbid(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer)
    refused = []

    async def underpriced(raw):
        refused.append(raw)
        if len(refused) == 3:
            del rpc.handlers["eth_sendRawTransaction"]
        raise RpcError("eth_sendRawTransaction", -32000, "replacement transaction underpriced")

    rpc.handlers["eth_sendRawTransaction"] = underpriced
    assert (await client.submit(market.opening())).succeeded
    assert len(set(refused)) == 3


async def test_fees_stop_at_the_cap(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer, most_fee_per_gas=10 * 10**9)
    sent = []

    async def underpriced(raw):
        sent.append(raw)
        raise RpcError("eth_sendRawTransaction", -32000, "replacement transaction underpriced")

    rpc.handlers["eth_sendRawTransaction"] = underpriced
    with pytest.raises(ChainUnavailable, match="underpriced"):
        await client.submit(market.opening())
    assert 1 < len(sent) < 40


async def test_two_programs_with_one_key_displace_each_other_and_both_get_through(registered) -> None:
    market = registered
    _, other = interposed_client(market, market.buyer)
    openings = [market.opening(request_hash=bytes([index]) * 32) for index in range(1, 9)]
    clients = [market.buyer, other] * 4
    await asyncio.gather(*(c.submit(o) for c, o in zip(clients, openings, strict=True)))
    assert len(await opened_trainings(market)) == 8


async def test_while_there_is_no_new_block_a_receipt_is_not_asked_for_at_every_poll(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer, confirmations=1, lost_seconds=3600)
    looks = []

    async def look(*parameters):
        looks.append(parameters)
        return await market.rpc.call("eth_getTransactionReceipt", *parameters)

    rpc.handlers["eth_getTransactionReceipt"] = look
    call = asyncio.create_task(client.submit(market.opening()))
    async with asyncio.timeout(300):
        while not looks:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.5)  # some fifty polls
    assert not call.done()
    assert len(looks) <= 5
    await market.rpc.call("evm_mine")
    async with asyncio.timeout(300):  # and yet it is seen at the next poll
        await call
