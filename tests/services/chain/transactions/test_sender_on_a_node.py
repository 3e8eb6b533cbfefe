"""What becomes of transactions in a real node's pool: stuck, dropped, replaced, taken back, left behind."""

import asyncio
import contextlib
import random

import pytest

from protocol.marketplace import Cancel
from services.chain.errors import ChainUnavailable, RpcError
from tests.support.chain.interposed import interposed_client, opened_trainings


@pytest.fixture
async def held(anvil_market):
    """A market whose registrations are final, on a node that mines only when told."""
    await anvil_market.register()
    await anvil_market.rpc.call("anvil_mine", "0x3")
    await anvil_market.rpc.call("evm_setAutomine", False)
    yield anvil_market
    await anvil_market.rpc.call("anvil_dropAllTransactions")
    await anvil_market.rpc.call("evm_setAutomine", True)


async def pending(market) -> int:
    return int((await market.rpc.call("txpool_status"))["pending"], 16)


async def until_pending(market, count) -> None:
    async with asyncio.timeout(300):
        while await pending(market) != count:
            await asyncio.sleep(0.005)


async def mine_until_done(market, *tasks) -> None:
    async with asyncio.timeout(300):
        while not all(task.done() for task in tasks):
            await market.rpc.call("evm_mine")
            await asyncio.sleep(0.01)
    for task in tasks:
        task.result()


def submission(client, call):
    return asyncio.create_task(client.submit(call))


async def submitted_by_an_outbox(client, call):
    """As the outbox does it: a node that reorganises has fewer blocks for a moment, and is asked again."""
    while True:
        try:
            return await client.submit(call)
        except ChainUnavailable:
            await asyncio.sleep(0.01)


def openings_of(market, count):
    return [market.opening(request_hash=bytes([index]) * 32) for index in range(1, count + 1)]


async def check_opened_once(market, openings) -> None:
    opened = [event.terms.request_hash for event in await opened_trainings(market)]
    assert sorted(opened) == sorted(opening.terms.request_hash for opening in openings)


async def test_calls_of_one_key_wait_side_by_side_for_a_block(held) -> None:
    market = held
    calls = [submission(market.buyer, opening) for opening in openings_of(market, 4)]
    await mine_until_done(market, *calls)
    calls = [await market.admitted(market.owners[0], number) for number in range(1, 5)]
    joins = [submission(market.owners[0], call) for call in calls]
    await until_pending(market, 4)
    await market.rpc.call("evm_mine")
    receipts = await asyncio.gather(*joins)
    assert len({receipt.block_number for receipt in receipts}) == 1


async def test_a_transaction_that_the_base_fee_outgrew_is_outbid_until_it_passes(held) -> None:
    market = held
    _, client = interposed_client(market, market.owners[0], bump_seconds=0.01)
    fee = int((await market.rpc.call("eth_getBlockByNumber", "latest", False))["baseFeePerGas"], 16)
    await mine_until_done(market, submission(market.buyer, market.opening()))
    call = submission(client, await market.admitted(client, 1))
    await until_pending(market, 1)
    await market.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(6 * fee + 10**10))
    await market.rpc.call("evm_mine")
    assert not (await market.buyer.owners(1)).seats
    await mine_until_done(market, call)
    assert call.result().succeeded
    assert (await market.buyer.owners(1)).seats == (client.address,)


async def test_a_dropped_transaction_is_sent_again(held) -> None:
    market = held
    rpc, client = interposed_client(market, market.buyer, bump_seconds=0.05)
    sent = recording(rpc)
    call = submission(client, market.opening())
    await until_pending(market, 1)
    await market.rpc.call("anvil_dropAllTransactions")
    await until_pending(market, 1)
    await mine_until_done(market, call)
    assert len(sent) > 1
    assert len(await opened_trainings(market)) == 1


async def test_a_call_that_builds_on_a_forgotten_one_waits_for_it(held) -> None:
    """After a node's restart the estimate of the second call is a refusal: the first is not in the pool."""
    market = held
    _, client = interposed_client(market, market.buyer, lost_seconds=0.05)
    opening = submission(client, market.opening())
    await until_pending(market, 1)
    await market.rpc.call("anvil_dropAllTransactions")
    cancelling = submission(client, Cancel(training=1))
    await mine_until_done(market, opening, cancelling)
    assert await market.buyer.status(1) == "cancelled"


async def test_a_call_whose_nonce_another_program_took_is_sent_anew(held) -> None:
    market = held
    _, other = interposed_client(market, market.buyer)
    openings = openings_of(market, 2)
    first = submission(market.buyer, openings[0])
    await until_pending(market, 1)
    second = submission(other, openings[1])  # takes the same nonce, and outbids
    await mine_until_done(market, first, second)
    await check_opened_once(market, openings)


async def test_a_transaction_that_a_reorganisation_took_back_is_sent_again(held) -> None:
    market = held
    _, client = interposed_client(market, market.buyer, confirmations=3, bump_seconds=0.02)
    call = submission(client, market.opening())
    await until_pending(market, 1)
    await market.rpc.call("anvil_mine", "0x2")
    assert len(await opened_trainings(market)) == 1
    await market.rpc.call("anvil_reorg", 2, [])
    await until_pending(market, 1)
    assert not await opened_trainings(market)
    await mine_until_done(market, call)
    assert len(await opened_trainings(market)) == 1


async def test_a_call_behind_one_that_was_final_and_was_taken_back_is_not_stuck(held) -> None:
    """Deeper than the confirmations: the nonce before it is free again, and nobody sends that call again."""
    market = held
    _, client = interposed_client(market, market.owners[0], lost_seconds=0.05)
    await mine_until_done(market, *(submission(market.buyer, opening) for opening in openings_of(market, 2)))
    first = submission(client, await market.admitted(client, 1))
    await until_pending(market, 1)
    await market.rpc.call("evm_mine")
    await first
    second = submission(client, await market.admitted(client, 2))
    await until_pending(market, 1)
    await market.rpc.call("anvil_reorg", 1, [])
    await mine_until_done(market, second)
    assert (await market.buyer.owners(2)).seats == (client.address,)
    assert not (await market.buyer.owners(1)).seats


@pytest.mark.parametrize("taken_back", [False, True])
async def test_what_a_dead_process_did_counts_only_once_final(held, taken_back) -> None:
    market = held
    dead = submission(market.buyer, market.opening())
    await mine_until_done(market, dead)
    _, client = interposed_client(market, market.buyer, confirmations=3)
    call = asyncio.create_task(submitted_by_an_outbox(client, market.opening()))
    await asyncio.sleep(0.1)  # time enough to return too early
    assert not call.done()
    if taken_back:
        await market.rpc.call("anvil_reorg", 3, [])
        assert not await opened_trainings(market)
    await mine_until_done(market, call)
    assert call.result().succeeded
    assert len(await opened_trainings(market)) == 1


async def test_an_opening_goes_out_alone(held) -> None:
    market = held
    _, client = interposed_client(market, market.buyer, confirmations=3)
    openings = openings_of(market, 2)
    calls = [submission(client, opening) for opening in openings]
    await until_pending(market, 1)
    for depth in range(4):
        await market.rpc.call("evm_mine")
        await asyncio.sleep(0.1)  # time enough to send too early
        assert await pending(market) == (depth == 3)
    await mine_until_done(market, *calls)
    await check_opened_once(market, openings)


def recording(rpc):
    """Every transaction that was sent through this node."""
    sent = []

    async def note(raw):
        sent.append(raw)
        return await rpc.inner.call("eth_sendRawTransaction", raw)

    rpc.handlers["eth_sendRawTransaction"] = note
    return sent


class Adversary:
    """Other nodes of the network: they lose transactions, remember old ones, and mine what they like."""

    def __init__(self, market, seed, depth) -> None:
        self.market, self.depth = market, depth
        self.chance = random.Random(seed)
        self.sent = []
        self.one_at_a_time = asyncio.Lock()

    async def act(self) -> None:
        async with self.one_at_a_time:
            await self.change()

    async def change(self) -> None:
        match self.chance.choice(["mine", "wait", "lose", "mine others", "reorganise"]):
            case "mine":
                await self.market.rpc.call("evm_mine")
            case "lose":
                await self.market.rpc.call("anvil_dropAllTransactions")
            case "mine others":
                await self.market.rpc.call("anvil_dropAllTransactions")
                for raw in self.chance.sample(self.sent, len(self.sent) // 2):
                    with contextlib.suppress(RpcError):
                        await self.market.rpc.call("eth_sendRawTransaction", raw)
                await self.market.rpc.call("evm_mine")
            case "reorganise" if self.depth:
                await self.market.rpc.call("anvil_reorg", self.chance.randint(1, self.depth), [])

    async def take(self, raw):
        """A process sends: the network may change before, and the answer may be lost."""
        await self.act()
        self.sent.append(raw)
        answer = await self.market.rpc.call("eth_sendRawTransaction", raw)
        await self.act()
        if self.chance.random() < 0.3:
            raise ChainUnavailable("the connection broke")
        return answer


@pytest.mark.parametrize("seed", range(9))
async def test_crashes_losses_reorganisations_and_old_transactions_open_nothing_twice(held, seed) -> None:
    """Processes of one key die at any moment, and begin again in another order."""
    market, depth = held, seed % 3
    adversary = Adversary(market, seed, depth)
    openings = openings_of(market, 3)

    def begin():
        rpc, client = interposed_client(market, market.buyer, confirmations=depth, bump_seconds=0.02)
        rpc.handlers["eth_sendRawTransaction"] = adversary.take
        return [submission(client, opening) for opening in adversary.chance.sample(openings, 3)]

    for _ in range(8):
        calls = begin()
        for _ in range(adversary.chance.randrange(5)):
            await asyncio.sleep(adversary.chance.random() * 0.03)
            await adversary.act()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    adversary.depth = 0
    async with asyncio.timeout(300):
        while len(await opened_trainings(market)) < 3:
            calls = begin()
            while not all(call.done() for call in calls):
                await market.rpc.call("evm_mine")
                await asyncio.sleep(0.01)
            await asyncio.gather(*calls, return_exceptions=True)
    for _ in range(5):
        await adversary.act()
    await check_opened_once(market, openings)
