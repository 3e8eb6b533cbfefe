"""Trainings that pay in a token: allowed to the unit, opened once, credited and paid out in that token."""

import asyncio
from collections import Counter

import pytest

from protocol.marketplace import Cancel, Register, Withdraw
from services.chain.contract.tokens import (
    TokenFacts,
    allowance,
    approval,
    balance_of,
    deploy_test_token,
    minting,
    token_facts,
)
from services.chain.errors import CallReverted, ChainUnavailable, InsufficientFunds, WrongChain
from services.chain.transactions.sender import Sender
from tests.support.chain.chain_market import POLICY
from tests.support.chain.interposed import interposed_client

DEPOSIT = 10**6


@pytest.fixture
async def token(registered):
    sender = await sender_of(registered)
    token = await deploy_test_token(sender)
    await sender.send(token, minting(registered.buyer.address, 3 * DEPOSIT))
    return token


@pytest.fixture
async def registered(market):
    """The two that an opening needs."""
    for client, role in ((market.buyer, "model_buyer"), (market.aggregator, "federated_aggregator")):
        await client.submit(Register(role=role, exchange_key=market.exchange_key(client)))
    return market


async def sender_of(market) -> Sender:
    key = market.keys[market.buyer.address]
    return Sender(market.rpc, key, market.deployment.market.chain_id, POLICY)


async def allowed(market, token) -> int:
    return await allowance(market.rpc, token, market.buyer.address, market.deployment.market.contract)


async def test_what_a_token_says_of_itself(registered, token) -> None:
    assert await token_facts(registered.rpc, token) == TokenFacts("TEST", 6)
    assert await balance_of(registered.rpc, token, registered.buyer.address) == 3 * DEPOSIT
    for nobody in ("0x" + "57" * 20, registered.deployment.market.contract):
        with pytest.raises(WrongChain, match="does not answer decimals"):
            await token_facts(registered.rpc, nobody)


async def test_a_deposit_is_allowed_to_the_unit_and_paid_back_in_its_token(registered, token) -> None:
    market, buyer = registered, registered.buyer
    ether = await buyer.balance_of(market.deployment.market.contract)
    training = await market.open(market.opening(DEPOSIT, token=token))
    assert await buyer.total_escrow(token) == DEPOSIT
    assert await allowed(market, token) == 0
    assert await buyer.balance_of(market.deployment.market.contract) == ether
    await buyer.submit(Cancel(training=training))
    assert await buyer.credit_of(buyer.address, token) == DEPOSIT
    assert await buyer.credit_of(buyer.address) == 0
    with pytest.raises(CallReverted, match="invalid_terms"):
        await buyer.submit(Withdraw(token=token, to=market.deployment.market.contract))
    receiver = "0x" + "57" * 20
    await buyer.submit(Withdraw(token=token, to=receiver))
    assert await buyer.balance_of(receiver, token) == DEPOSIT
    assert not (await buyer.submit(Withdraw(token=token))).transaction_hash  # is done already


async def test_what_is_allowed_already_is_not_allowed_again(registered, token) -> None:
    sender = await sender_of(registered)
    await sender.send(token, approval(registered.deployment.market.contract, 2 * DEPOSIT))
    outcomes = Counter()
    registered.buyer.on_outcome = lambda call, outcome, _gas: outcomes.update([(call, outcome)])
    await registered.buyer.submit(registered.opening(DEPOSIT, token=token))
    assert outcomes == {("open", "succeeded"): 1}


async def test_an_allowance_that_is_too_low_is_taken_back_first(registered, token) -> None:
    """Some tokens change one from nothing alone."""
    sender = await sender_of(registered)
    await sender.send(token, approval(registered.deployment.market.contract, 1))
    outcomes = Counter()
    registered.buyer.on_outcome = lambda call, outcome, _gas: outcomes.update([(call, outcome)])
    await registered.buyer.submit(registered.opening(DEPOSIT, token=token))
    assert outcomes == {("approve", "succeeded"): 2, ("open", "succeeded"): 1}


async def test_openings_at_the_same_time_each_have_their_allowance(registered, token) -> None:
    openings = [registered.opening(DEPOSIT + n, token=token, request_hash=bytes([n]) * 32) for n in (1, 2)]
    await asyncio.gather(*map(registered.buyer.submit, openings))
    assert await registered.buyer.total_escrow(token) == 2 * DEPOSIT + 3


async def test_who_has_too_few_waits_for_more(registered, token) -> None:
    with pytest.raises(InsufficientFunds, match=f"has {3 * DEPOSIT} .* send it 1 more"):
        await registered.buyer.submit(registered.opening(3 * DEPOSIT + 1, token=token))


async def test_an_opening_that_is_lost_after_its_approval_is_opened_later_and_once(registered, token) -> None:
    rpc, buyer = interposed_client(registered, registered.buyer)
    estimates = []

    async def not_twice(request, block):
        estimates.append(request)
        if len(estimates) == 2:
            raise ChainUnavailable("the node is restarted")
        return await registered.rpc.call("eth_estimateGas", request, block)

    rpc.handlers["eth_estimateGas"] = not_twice
    opening = registered.opening(DEPOSIT, token=token)
    with pytest.raises(ChainUnavailable):
        await buyer.submit(opening)
    assert await allowed(registered, token) == DEPOSIT
    for _ in range(2):
        await registered.buyer.submit(opening)
    assert await registered.buyer.total_escrow(token) == DEPOSIT
    assert (await allowed(registered, token), len(estimates)) == (0, 2)


async def test_a_token_that_is_none_opens_nothing(registered) -> None:
    with pytest.raises(WrongChain, match="does not answer balanceOf"):
        await registered.buyer.submit(registered.opening(DEPOSIT, token="0x" + "57" * 20))
    assert await registered.buyer.total_escrow() == 0
