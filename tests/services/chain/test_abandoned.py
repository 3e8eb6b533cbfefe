"""A training that its buyer leaves once roles are drawn, on the embedded chain, whose clock is the test's."""

import time

from protocol.marketplace import Cancel, Cancelled, Claim, Credited, Withdraw
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import ChainMarket


async def test_owners_that_waited_in_vain_are_paid_and_the_buyer_gets_the_rest():
    now = time.time()
    rpc = EmbeddedRpc(clock=lambda: now)
    try:
        market = await ChainMarket.create(rpc)
        await market.register()
        opening = market.opening()
        training = await market.open(opening)
        await market.draw(training)
        terms = opening.terms
        now += terms.reveal_seconds + 1.25 * terms.round_seconds + 60
        await rpc.call("evm_mine")
        await market.submit(market.owners[0], Cancel(training=training))
        for owner in market.owners:
            await market.submit(owner, Claim(training=training))
        each = opening.deposit * terms.abandon_bps // 10_000 // 5
        credited = {
            (one.event.account, one.event.share): one.event.amount
            for one in await chain_events(market.buyer)
            if isinstance(one.event, Credited)
        }
        *_, cancelled = [
            one.event for one in await chain_events(market.buyer) if isinstance(one.event, Cancelled)
        ]
        assert cancelled.refund == opening.deposit - 5 * each
        assert credited == {
            **{(owner.address, "abandonment"): each for owner in market.owners},
            (market.buyer.address, "refund"): cancelled.refund,
        }
        for client in (market.buyer, *market.owners):
            await market.submit(client, Withdraw())
        assert await market.buyer.balance_of(market.deployment.market.contract) == 0
    finally:
        await rpc.close()
