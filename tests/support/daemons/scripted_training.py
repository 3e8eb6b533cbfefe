"""A training by contract calls alone, one step after another, on a chain that takes steps back."""

from functools import partial

from protocol.marketplace import Close, Draw, Register, Settle, Withdraw
from tests.support.chain.chain_market import ROLES, ChainMarket, revealing

METRIC = 40 * 10**18


class ScriptedTraining:
    """Registration to withdrawal. Every step may be repeated: one that is in effect changes nothing."""

    def __init__(self, market: ChainMarket) -> None:
        self.market = market
        submit = market.submit
        self.steps = [
            *(partial(self.register, index) for index in range(len(ROLES))),
            partial(submit, market.buyer, market.opening()),
            *(partial(market.take_seat, owner, 1) for owner in market.owners),
            partial(submit, market.aggregator, Close(training=1)),
            *(partial(submit, owner, revealing(owner, 1)) for owner in market.owners),
            partial(submit, market.aggregator, Draw(training=1)),
            partial(self.record, 1),
            partial(self.record, 2),
            partial(submit, market.aggregator, Settle(training=1)),
            *(partial(submit, client, Withdraw()) for client in market.clients),
        ]
        self.done = 0

    @property
    def finished(self) -> bool:
        return self.done == len(self.steps)

    async def advance(self) -> int:
        """Take the next step; returns how many are done."""
        await self.steps[self.done]()
        self.done += 1
        return self.done

    def begin_again(self) -> None:
        """Some steps may have been taken back."""
        self.done = 0

    async def register(self, index: int) -> None:
        client = self.market.clients[index]
        call = Register(role=ROLES[index], exchange_key=self.market.exchange_key(client))
        await self.market.submit(client, call)

    async def record(self, number: int) -> None:
        progress = await self.market.buyer.progress(1)
        if progress.recorded < number:
            before = progress.last_mse if number > 1 else METRIC
            call = await self.market.record(1, number, before, last=number == 2)
            await self.market.submit(self.market.aggregator, call)
