"""Calls that are refused, repeated, raced, lost on the way, or too early."""

import asyncio
import os
import time

import pytest

from protocol.marketplace import Cancel, Close, Draw, Join, Register, Settle
from protocol.signatures import address_of
from services.chain.client import MarketplaceClient
from services.chain.embedded import EmbeddedRpc
from services.chain.errors import CallReverted, ChainError, ChainUnavailable, InsufficientFunds, RpcError
from services.chain.sender import SendPolicy
from tests.support.chain_market import POLICY, ChainMarket


class Interposed:
    """A node whose answers to some methods a test replaces; `handlers[method](*parameters)` may raise."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.handlers = {}

    async def call(self, method, *parameters):
        handler = self.handlers.get(method)
        return await (self.inner.call(method, *parameters) if handler is None else handler(*parameters))

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    def on_block(self, wake) -> None:
        self.inner.on_block(wake)


def interposed_client(market, client, **policy):
    """The client's key behind a node that can be interposed."""
    rpc = Interposed(market.rpc)
    policy = SendPolicy(**{"poll_seconds": 0.01} | policy)
    key = market.keys[client.address]
    place = market.deployment
    return rpc, MarketplaceClient(rpc, place.market, key, policy=policy, first_block=place.block)


async def refusal_of(client, call) -> CallReverted:
    with pytest.raises(CallReverted) as caught:
        await client.submit(call)
    return caught.value


async def opened_trainings(market):
    events = await market.buyer.fetch_events(0, await market.buyer.block_number())
    return [item.event for item in events if item.event.event == "Opened"]


@pytest.fixture
async def registered(market):
    await market.register()
    return market


async def test_refusals_carry_the_contract_s_code(registered) -> None:
    market = registered
    training = await market.open()
    cases = [
        (market.owners[0], Register(role="model_buyer", exchange_key=b"k" * 32), "wrong_role"),
        (market.owners[0], market.opening(), "wrong_role"),
        (market.buyer, market.opening(request_hash=b"0" * 32, deposit=5), "deposit_too_low"),
        (market.buyer, market.opening(request_hash=b"1" * 32, contribution_bps=1), "invalid_terms"),
        (market.buyer, Join(training=training), "wrong_role"),
        (market.owners[0], Join(training=9), "wrong_status"),
        (market.aggregator, Close(training=training), "too_early"),
        (market.aggregator, Draw(training=training), "wrong_status"),
        (market.aggregator, Settle(training=training), "wrong_status"),
        (market.owners[0], Cancel(training=training), "not_party"),
    ]
    started = time.monotonic()
    for client, call, code in cases:
        assert (await refusal_of(client, call)).code == code
    assert time.monotonic() - started < 5
    assert (await refusal_of(market.owners[0], Join(training=9))).arguments == (9, 0)


async def test_the_same_refusals_come_from_a_real_node(anvil_market) -> None:
    market = anvil_market
    await market.register()
    training = await market.open()
    refusal = await refusal_of(market.aggregator, Close(training=training))
    assert (refusal.code, refusal.arguments[0]) == ("too_early", training)
    assert (await refusal_of(market.owners[0], Join(training=99))).arguments == (99, 0)
    with pytest.raises(InsufficientFunds):
        await market.buyer.submit(market.opening(request_hash=b"x" * 32, deposit=10**30))


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


async def test_concurrent_calls_wait_side_by_side_for_a_block_of_a_real_node(anvil_market) -> None:
    market = anvil_market
    await market.register()
    openings = [market.opening(request_hash=bytes([index]) * 32) for index in range(1, 6)]
    await market.rpc.call("evm_setAutomine", False)
    try:
        waiting = asyncio.gather(*(market.buyer.submit(opening) for opening in openings))
        async with asyncio.timeout(10):
            while int((await market.rpc.call("txpool_status"))["pending"], 16) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await market.rpc.call("evm_mine")
        receipts = await waiting
    finally:
        await market.rpc.call("evm_setAutomine", True)
    assert len({receipt.block_number for receipt in receipts}) == 1
    assert len(await opened_trainings(market)) == 5


async def test_a_call_counts_only_once_confirmed(registered) -> None:
    market = registered
    _, client = interposed_client(market, market.buyer, confirmations=2)
    call = asyncio.create_task(client.submit(market.opening()))
    async with asyncio.timeout(5):
        while not await opened_trainings(market):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    for _ in range(2):
        await asyncio.sleep(0.05)  # time enough to return too early
        assert not call.done()
        await market.rpc.call("evm_mine")
    async with asyncio.timeout(5):
        await call
    assert (await call).succeeded


async def test_the_same_opening_from_many_tasks_opens_once(registered) -> None:
    market = registered
    await asyncio.gather(*(market.buyer.submit(market.opening()) for _ in range(6)))
    assert len(await opened_trainings(market)) == 1


async def test_the_last_seat_goes_to_one_and_the_other_learns_why(registered) -> None:
    market = registered
    training = await market.open(market.opening(max_owners=4))
    outcomes = await asyncio.gather(
        *(owner.submit(Join(training=training)) for owner in market.owners), return_exceptions=True
    )
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, CallReverted))
    assert refused.code == "no_seat_left"


async def test_a_transaction_that_fails_on_chain_raises_the_contract_s_reason(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.owners[0])

    async def estimate(*_parameters):
        return hex(300_000)

    rpc.handlers["eth_estimateGas"] = estimate
    before = await market.buyer.balance_of(client.address)
    refusal = await refusal_of(client, Join(training=5))
    assert (refusal.code, refusal.arguments) == ("wrong_status", (5, 0))
    assert await market.buyer.balance_of(client.address) < before


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


async def test_a_transaction_that_the_pool_lost_is_sent_again_with_a_higher_fee(registered) -> None:
    market = registered
    rpc, client = interposed_client(market, market.buyer, bump_seconds=0.02)
    lost = []

    async def lose(raw):
        lost.append(raw)
        if len(lost) == 2:
            del rpc.handlers["eth_sendRawTransaction"]
        return "0x" + "0" * 64

    rpc.handlers["eth_sendRawTransaction"] = lose
    receipt = await client.submit(market.opening())
    assert receipt.succeeded
    assert len(set(lost)) == 2
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


async def test_an_account_without_ether_is_told_so(registered) -> None:
    market = registered
    place = market.deployment
    poor = MarketplaceClient(market.rpc, place.market, os.urandom(32), policy=POLICY, first_block=place.block)
    with pytest.raises(InsufficientFunds, match=poor.address):
        await poor.submit(Register(role="data_owner", exchange_key=b"k" * 32))
    with pytest.raises(InsufficientFunds):
        await market.buyer.submit(market.opening(deposit=10**30))


async def test_a_client_without_a_key_reads_only(registered) -> None:
    place = registered.deployment
    reader = MarketplaceClient(registered.rpc, place.market)
    assert await reader.role_of(registered.buyer.address) == "model_buyer"
    assert await reader.role_of("0x" + "9" * 40) is None
    assert await reader.exchange_key_of(0, "0x" + "9" * 40) is None
    with pytest.raises(ChainError, match="no key"):
        await reader.submit(Join(training=1))


# ---- the draw and the clock ----


async def test_a_draw_whose_hash_is_gone_closes_again(registered) -> None:
    market = registered
    training = await market.open()
    for owner in market.owners:
        await owner.submit(Join(training=training))
    await market.aggregator.submit(Close(training=training))
    first = (await market.buyer.progress(training)).draw_block
    for _ in range(258):
        await market.rpc.call("evm_mine")
    await market.owners[0].submit(Draw(training=training))
    assert await market.buyer.status(training) == "running"
    assert (await market.buyer.progress(training)).draw_block > first + 256


async def test_a_call_in_time_waits_for_a_chain_whose_newest_block_is_late() -> None:
    start = time.time() - 40
    rpc = await EmbeddedRpc.start({}, clock=lambda: start)
    try:
        market = await ChainMarket.create(rpc, rpc.fund)
        await market.register()
        training = await market.open(market.opening(join_seconds=12))
        for owner in market.owners[:4]:
            await owner.submit(Join(training=training))
        assert (await market.owners[0].submit(Close(training=training))).succeeded
        # Nobody joined here: the time is over, the refusal stays, and it comes at once.
        empty = await market.open(market.opening(request_hash=b"e" * 32, join_seconds=1))
        assert (await refusal_of(market.aggregator, Close(training=empty))).code == "too_early"
        assert (await market.owners[0].submit(Cancel(training=empty))).succeeded
    finally:
        await rpc.close()


# ---- the embedded chain itself ----


async def test_the_embedded_chain_announces_blocks_and_closes() -> None:
    key = os.urandom(32)
    rpc = await EmbeddedRpc.start({address_of(key): 10**18}, chain_id=77)
    woken = asyncio.Event()
    rpc.on_block(woken.set)
    assert await rpc.batch([("eth_chainId", []), ("eth_getBalance", [address_of(key), "latest"])]) == [
        hex(77),
        hex(10**18),
    ]
    await rpc.fund(address_of(key), 5)
    async with asyncio.timeout(5):
        await woken.wait()
    assert await rpc.call("eth_getBalance", address_of(key), "latest") == hex(10**18 + 5)
    with pytest.raises(RpcError, match="does not know"):
        await rpc.call("eth_mystery")
    await rpc.close()
    with pytest.raises(ChainUnavailable, match="closed"):
        await rpc.call("eth_chainId")
