"""What must hold when the last training has ended: queues are empty, every wei is accounted for."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

from protocol.marketplace import Cancelled, Opened, RoundRecorded, Settled, training_of
from protocol.records import Market
from services.bus.naming import DEAD_QUEUE
from services.chain.contract.client import MarketplaceClient
from services.chain.rpc.http import HttpRpc
from tests.soak.market import SoakMarket
from tests.support.chain.chain_events import chain_events
from tests.support.roles.pay import credited, recomputed

_MOST_LOOKS = 60


async def queues_are_empty(market: SoakMarket) -> None:
    """Wait for what is still on its way: the events of the last blocks are confirmed some blocks later."""
    for _ in range(_MOST_LOOKS):
        if not (waiting := await waiting_messages(market)):
            return
        await asyncio.sleep(1)
    raise AssertionError(f"messages are left on {waiting}")


async def waiting_messages(market: SoakMarket) -> dict[str, int]:
    """Messages by queue, those delivered and not acked included; empty queues and `.seen` are left out.

    Nobody need listen to what is not confirmed yet, so those queues fill up to their bound.
    """
    queues = await market.broker.api.get("queues", market.broker.vhost)
    return {
        one["name"]: one["messages"]
        for one in queues
        if one["messages"] and not one["name"].endswith(".seen") and one["name"] != DEAD_QUEUE
    }


async def dead_letters(market: SoakMarket) -> Counter[str]:
    """Dead letters by code and type of message; they are taken off their queue."""
    letters = await market.broker.dead_letters(await market.broker.depth(DEAD_QUEUE))
    return Counter(f"{one.headers.get('code')} {one.type}" for one in letters)


async def account_for_every_wei(market: SoakMarket) -> Counter[str]:
    """Each training's credits against the pay worked out again, the contract's balance against what it owes.

    Returns how many trainings the contract settled and how many it cancelled.
    """
    async with HttpRpc(market.node_url) as rpc:
        place = Market(chain_id=31337, contract=market.contract)
        client = MarketplaceClient(rpc, place, first_block=market.first_block)
        async with asyncio.timeout(_MOST_LOOKS):
            while await client.total_escrow():  # owners claim when the end is confirmed
                await asyncio.sleep(1)
        events = await chain_events(client, market.first_block)
        owed = await client.total_escrow()
        for address in market.addresses.values():
            owed += await client.credit_of(address)
        balance = await client.balance_of(market.contract)
    assert balance == owed, f"the contract holds {balance} wei and owes {owed}"
    by_training: defaultdict[int, list[object]] = defaultdict(list)
    for one in events:
        by_training[training_of(one.event)].append(one.event)
    del by_training[0]
    return Counter(_ending(number, published) for number, published in by_training.items())


def _ending(number: int, events: Sequence[object]) -> str:
    deposit = next(one.deposit for one in events if isinstance(one, Opened))
    paid = credited(events)
    assert paid.total() == deposit, f"training {number}: {paid.total()} of {deposit} wei credited"
    if any(isinstance(one, Cancelled) for one in events):
        return "cancelled"
    assert any(isinstance(one, Settled) for one in events), f"training {number} has not ended on chain"
    rounds = [one for one in events if isinstance(one, RoundRecorded)]
    if rounds and rounds[-1].record.last:
        assert paid == recomputed(events), f"training {number} paid otherwise than its errors say"
        return "settled"
    return "settled early"
