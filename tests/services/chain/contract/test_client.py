"""Calls that are refused, too early, or without the means; the embedded chain itself."""

import asyncio
import itertools
import os
import time

import pytest

from protocol.marketplace import Cancel, Close, Draw, Register, Settle, Withdraw
from protocol.signatures import address_of
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.codec import encode_call
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.errors import CallReverted, ChainError, ChainUnavailable, InsufficientFunds, RpcError
from tests.support.chain.chain_market import POLICY, ChainMarket, joining, revealing
from tests.support.chain.interposed import interposed_client


async def refusal_of(client, call) -> CallReverted:
    with pytest.raises(CallReverted) as caught:
        await client.submit(call)
    return caught.value


async def test_refusals_carry_the_contract_s_code(registered) -> None:
    market = registered
    training = await market.open()
    cases = [
        (market.owners[0], Register(role="model_buyer", exchange_key=b"k" * 32), "wrong_role"),
        (market.owners[0], market.opening(), "wrong_role"),
        (market.buyer, market.opening(request_hash=b"0" * 32, deposit=5), "deposit_too_low"),
        (market.buyer, market.opening(request_hash=b"1" * 32, contribution_bps=1), "invalid_terms"),
        (market.buyer, joining(market.buyer, training), "wrong_role"),
        (market.owners[0], joining(market.owners[0], 9), "wrong_status"),
        (market.owners[0], joining(market.owners[0], training), "bad_signature"),
        (market.aggregator, Close(training=training), "too_early"),
        (market.aggregator, Draw(training=training), "wrong_status"),
        (market.aggregator, Settle(training=training), "wrong_status"),
        (market.owners[0], Cancel(training=training), "not_party"),
    ]
    async with asyncio.timeout(300):  # no block is mined for them
        for client, call, code in cases:
            assert (await refusal_of(client, call)).code == code
    assert (await refusal_of(market.owners[0], joining(market.owners[0], 9))).arguments == (9, 0)


async def test_the_same_refusals_come_from_a_real_node(anvil_market) -> None:
    market = anvil_market
    await market.register()
    training = await market.open()
    refusal = await refusal_of(market.aggregator, Close(training=training))
    assert (refusal.code, refusal.arguments[0]) == ("too_early", training)
    assert (await refusal_of(market.owners[0], joining(market.owners[0], 99))).arguments == (99, 0)
    with pytest.raises(InsufficientFunds):
        await market.buyer.submit(market.opening(request_hash=b"x" * 32, deposit=10**30))


async def test_the_last_seat_goes_to_one_and_the_other_learns_why(registered) -> None:
    market = registered
    training = await market.open(market.opening(max_owners=4))
    outcomes = await asyncio.gather(
        *(market.take_seat(owner, training) for owner in market.owners), return_exceptions=True
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
    refusal = await refusal_of(client, joining(client, 5))
    assert (refusal.code, refusal.arguments) == ("wrong_status", (5, 0))
    assert await market.buyer.balance_of(client.address) < before


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
        await reader.submit(joining(reader, 1))


# ---- the draw and the clock ----


async def test_the_roles_are_drawn_long_after_the_hash_of_the_block_is_gone(registered) -> None:
    market = registered
    training = await market.open()
    await market.join(training)
    await market.aggregator.submit(Close(training=training))
    await market.owners[0].submit(revealing(market.owners[0], training))
    for _ in range(258):
        await market.rpc.call("evm_mine")
    await market.reveal(training)
    assert (await market.buyer.draw_of(training)).revealed == 0b11111
    await market.owners[0].submit(Draw(training=training))
    assert await market.buyer.status(training) == "running"


async def test_what_was_joined_with_can_be_read_and_what_was_revealed(registered) -> None:
    market, owner = registered, registered.owners[0]
    training = await market.open()
    await market.join(training)
    call = joining(owner, training)
    assert await market.buyer.joined_with(training, owner.address) == (call.commitment, call.nonce_digest)
    await market.aggregator.submit(Close(training=training))
    await owner.submit(revealing(owner, training))
    nonce = revealing(owner, training).nonce
    assert await market.buyer.joined_with(training, owner.address) == (call.commitment, nonce)
    seat = (await market.buyer.owners(training)).seats.index(owner.address)
    drawn = await market.buyer.draw_of(training)
    assert (drawn.revealed, any(drawn.draw_hash)) == (1 << seat, True)
    with pytest.raises(CallReverted, match="not_party"):
        await market.buyer.joined_with(training, market.buyer.address)


async def test_a_nonce_is_told_once_no_reorganisation_can_give_the_draw_another_hash(registered) -> None:
    market = registered
    training = await market.open()
    await market.join(training)
    await market.aggregator.submit(Close(training=training))
    _, owner = interposed_client(market, market.owners[0], confirmations=3)
    revealed = asyncio.create_task(owner.submit(revealing(owner, training)))
    async with asyncio.timeout(300):
        while not revealed.done():
            await market.rpc.call("evm_mine")
            await asyncio.sleep(0.01)
    draw_block = (await market.buyer.progress(training)).draw_block
    assert revealed.result().block_number > draw_block + 3


async def test_a_call_in_time_waits_for_a_chain_whose_newest_block_is_late() -> None:
    start = time.time() - 40
    rpc = EmbeddedRpc(clock=lambda: start)
    try:
        market = await ChainMarket.create(rpc)
        await market.register()
        training = await market.open(market.opening(join_seconds=12))
        for owner in market.owners[:4]:
            await market.take_seat(owner, training)
        assert (await market.owners[0].submit(Close(training=training))).succeeded
        # Nobody joined here: the time is over, the refusal stays, and it comes at once.
        empty = await market.open(market.opening(request_hash=b"e" * 32, join_seconds=1))
        assert (await refusal_of(market.aggregator, Close(training=empty))).code == "too_early"
        assert (await market.owners[0].submit(Cancel(training=empty))).succeeded
    finally:
        await rpc.close()


# ---- several nodes at one address ----


async def refusal_now(market, client, call) -> RpcError:
    """What a node says to a call in the present state."""
    data, _ = encode_call(call)
    request = {"from": client.address, "to": market.deployment.market.contract, "data": "0x" + data.hex()}
    with pytest.raises(RpcError) as caught:
        await market.rpc.call("eth_estimateGas", request, "pending")
    return caught.value


def sometimes_behind(market, client, refusal, times):
    """The client on a node that estimates in the state of that refusal, so many times; and that node."""
    rpc, behind = interposed_client(market, client)
    old = itertools.repeat(refusal, times)

    async def estimated(*parameters):
        if (error := next(old, None)) is not None:
            raise error
        return await market.rpc.call("eth_estimateGas", *parameters)

    rpc.handlers["eth_estimateGas"] = estimated
    return rpc, behind


async def test_a_refusal_of_a_node_that_lags_behind_another_at_its_address_is_not_believed(
    registered,
) -> None:
    market, owner = registered, registered.owners[0]
    before = await refusal_now(market, owner, joining(owner, 1))
    training = await market.open()
    assert training == 1
    _, owner = sometimes_behind(market, owner, before, 2)
    # Nothing tells this client that the node was further once.
    call = await market.admitted(owner, 1)
    assert (await refusal_of(owner, call)).code == "wrong_status"
    known = await market.buyer.block_number()
    owner.known_block = lambda: known
    with pytest.raises(ChainUnavailable, match=f"not at block {known}: the node lags"):
        await owner.submit(call)
    assert (await owner.submit(call)).succeeded
    assert (await refusal_of(owner, joining(owner, 99))).code == "wrong_status"


async def test_a_withdrawal_that_a_lagging_node_takes_for_made_is_made(registered) -> None:
    market, buyer = registered, registered.buyer
    before = await refusal_now(market, buyer, Withdraw())
    training = await market.open(market.opening(join_seconds=1))
    for _ in range(3):
        await market.rpc.call("evm_mine")
    await market.owners[0].submit(Cancel(training=training))
    assert await market.buyer.credit_of(buyer.address)
    rpc, buyer = sometimes_behind(market, buyer, before, 1)

    async def nothing_yet(request, block):
        return "0x" + "00" * 32 if block == "latest" else await market.rpc.call("eth_call", request, block)

    rpc.handlers["eth_call"] = nothing_yet
    known = await market.buyer.block_number()
    buyer.known_block = lambda: known
    with pytest.raises(ChainUnavailable, match="the node lags"):
        await buyer.submit(Withdraw())
    await buyer.submit(Withdraw())
    assert await market.buyer.credit_of(buyer.address) == 0


async def test_where_no_node_has_the_newest_block_a_refusal_waits(registered) -> None:
    market = registered
    rpc, owner = interposed_client(market, market.owners[0])

    async def not_there(_request, block):
        raise RpcError("eth_call", -32000, f"header {block} not found")

    rpc.handlers["eth_call"] = not_there
    owner.known_block = lambda: 10**6
    with pytest.raises(ChainUnavailable, match="does not answer for block 1000000"):
        await owner.submit(joining(owner, 99))


# ---- the embedded chain itself ----


async def test_the_embedded_chain_announces_blocks_and_closes() -> None:
    key = os.urandom(32)
    rpc = EmbeddedRpc(chain_id=77)
    await rpc.call("anvil_setBalance", address_of(key), hex(10**18))
    woken = asyncio.Event()
    rpc.on_block(woken.set)
    assert await rpc.batch([("eth_chainId", []), ("eth_getBalance", [address_of(key), "latest"])]) == [
        hex(77),
        hex(10**18),
    ]
    await rpc.call("anvil_setBalance", address_of(key), hex(10**18 + 5))
    await rpc.call("evm_mine")
    async with asyncio.timeout(300):
        await woken.wait()
    assert await rpc.call("eth_getBalance", address_of(key), "latest") == hex(10**18 + 5)
    with pytest.raises(RpcError, match="does not know"):
        await rpc.call("eth_mystery")
    await rpc.close()
    with pytest.raises(ChainUnavailable, match="closed"):
        await rpc.call("eth_chainId")
