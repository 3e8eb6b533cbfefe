"""One training from registration to withdrawal, on the embedded chain and on a real node."""

import asyncio

import pytest

from protocol.marketplace import (
    Claim,
    Close,
    Credited,
    Draw,
    Register,
    RoundRecorded,
    Settle,
    Settled,
    Withdraw,
)
from protocol.seat_admission import SeatAdmission
from services.chain.rpc.values import quantity
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import ROLES


@pytest.fixture(params=["market", "anvil_market"])
def any_market(request):
    return request.getfixturevalue(request.param)


async def check_every_wei(market) -> None:
    """The contract holds exactly what it owes."""
    owed = [await client.credit_of(client.address) for client in market.clients]
    held = await market.buyer.balance_of(market.deployment.market.contract)
    assert held == await market.buyer.total_escrow() + sum(owed)


async def is_repetition(market, client, call) -> bool:
    """Whether the call is a success although nothing is sent."""
    nonce = await market.rpc.call("eth_getTransactionCount", client.address, "latest")
    receipt = await client.submit(call)
    after = await market.rpc.call("eth_getTransactionCount", client.address, "latest")
    return receipt.succeeded and receipt.transaction_hash == b"" and quantity(after) == quantity(nonce)


async def test_a_whole_market_accounts_for_every_wei_and_repeats_safely(any_market) -> None:
    market = any_market
    await market.register()
    for client, role in zip(market.clients, ROLES, strict=True):
        assert await client.role_of(client.address) == role
        assert await client.exchange_key_of(0, client.address) == market.exchange_key(client)
        again = Register(role=role, exchange_key=market.exchange_key(client))
        assert await is_repetition(market, client, again)

    opening = market.opening()
    training = await market.open(opening)
    assert await market.contract_terms(training) == opening.terms
    assert await market.buyer.total_escrow() == opening.deposit
    assert await is_repetition(market, market.buyer, opening)

    joining = await market.admitted(market.owners[0], training)
    request_hash, owner = opening.terms.request_hash, market.owners[0].address
    admission = SeatAdmission(
        training=training, owner=owner, request_hash=request_hash, commitment=joining.commitment
    )
    own = await market.contract_admission_digest(training, owner, joining.commitment)
    assert own == admission.digest(market.deployment.market)
    await market.draw(training)
    for owner in market.owners:
        assert await is_repetition(market, owner, await market.admitted(owner, training))
    for call in (Close(training=training), Draw(training=training)):
        assert await is_repetition(market, market.owners[0], call)
    owners = await market.buyer.owners(training)
    assert sorted(owners.seats) == sorted(owner.address for owner in market.owners)
    assert owners.trainers ^ owners.validators == 0b11111
    assert owners.validators.bit_count() == 2

    mse = 40 * 10**18
    for number in (1, 2):
        call = await market.record(training, number, mse, last=number == 2)
        assert await market.contract_digest(call.record) == call.record.digest(market.deployment.market)
        await market.submit(market.aggregator, call)
        assert await is_repetition(market, market.aggregator, call)
        mse = (await market.buyer.progress(training)).last_mse
        await check_every_wei(market)
    assert await is_repetition(market, market.owners[1], call)

    await market.submit(market.owners[3], Settle(training=training))
    assert await is_repetition(market, market.aggregator, Settle(training=training))
    assert await market.buyer.status(training) == "settled"
    await check_every_wei(market)
    await check_claims(market, training)
    await check_every_wei(market)
    await check_payment(market, training, opening.deposit)


async def check_claims(market, training: int) -> None:
    """Owners are credited what was kept for them, side by side, and once."""
    kept = [await owner.claimable_of(training, owner.address) for owner in market.owners]
    left = await market.buyer.total_escrow() - sum(kept)
    assert 0 <= left < len(market.owners)  # of dividing the contribution
    await asyncio.gather(*(market.submit(owner, Claim(training=training)) for owner in market.owners))
    assert await market.buyer.total_escrow() == 0
    for owner, amount in zip(market.owners, kept, strict=True):
        assert await owner.credit_of(owner.address) == amount > 0
        assert await owner.claimable_of(training, owner.address) == 0
        assert await is_repetition(market, owner, Claim(training=training))


async def check_payment(market, training: int, deposit: int) -> None:
    """Events, credits and withdrawals agree."""
    events = [item.event for item in await chain_events(market.buyer, market.deployment.block)]
    (settled,) = (event for event in events if isinstance(event, Settled))
    assert settled.paid + settled.refund == deposit
    assert settled.paid > 0
    assert sum(isinstance(event, RoundRecorded) for event in events) == 2

    credited = dict.fromkeys(market.keys, 0)
    for event in events:
        if isinstance(event, Credited):
            credited[event.account] += event.amount
    assert sum(credited.values()) == deposit
    for client in market.clients:
        assert await client.credit_of(client.address) == credited[client.address]

    await asyncio.gather(*(market.submit(client, Withdraw()) for client in market.clients))
    assert await market.buyer.balance_of(market.deployment.market.contract) == 0
    for client in market.clients:
        assert await is_repetition(market, client, Withdraw())
        paid_in = deposit if client is market.buyer else 0
        expected = market.started_with[client.address] - market.fees[client.address] - paid_in
        assert await client.balance_of(client.address) == expected + credited[client.address]
