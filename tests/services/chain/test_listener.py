"""The listener on the embedded chain, on a real node, and on one that changes between any two requests."""

import asyncio
import contextlib
import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import MisuseError
from protocol.marketplace import Register
from protocol.records import Market
from services.chain.errors import ChainUnavailable, DeepReorganisation, RpcError, WrongChain
from services.chain.listener import ChainListener, StoredCursor
from services.store import Store
from tests.support.chain_market import ROLES
from tests.support.shifting_node import ShiftingNode


class Streams:
    """What was published, with repetitions dropped as consumers drop them."""

    def __init__(self) -> None:
        self.published = []
        self.seen = {}
        self.confirmed = {}
        self.refuse_after = None

    async def publish(self, stream, event) -> None:
        if self.refuse_after is not None and len(self.published) >= self.refuse_after:
            raise ConnectionError("the broker is gone")
        self.published.append((stream, event))
        identity = (event.chain_id, event.block_hash, event.log_index)
        if event.removed:
            assert stream == "seen"
            self.seen.pop(identity, None)
        else:
            getattr(self, stream)[identity] = event

    def of(self, stream):
        return [event for name, event in self.published if name == stream]


def listener_of(market, streams, store=None, **options):
    place = StoredCursor(store or Store(), market.deployment.market)
    options = {"confirmations": 0, "first_block": market.deployment.block, "poll_seconds": 0.02} | options
    return ChainListener(market.rpc, market.deployment.market, place, streams.publish, **options)


async def catch_up(listener) -> None:
    while await listener.step():
        pass


async def events_of(market):
    return await market.buyer.fetch_events(market.deployment.block, await market.buyer.block_number())


async def test_every_event_once_in_order_across_restarts(market, tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'listener.sqlite'}"
    streams = Streams()
    await market.register()
    training = await market.open()
    for act in (lambda: market.draw(training), lambda: asyncio.sleep(0)):
        store = Store(url)
        await catch_up(listener_of(market, streams, store))
        store.close()
        await act()
    expected = await events_of(market)
    assert len(expected) == 7 + 1 + 5 + 2
    assert streams.of("seen") == expected
    assert streams.of("confirmed") == expected


async def test_a_running_listener_is_woken_by_blocks_and_stops_when_cancelled(market) -> None:
    streams = Streams()
    task = asyncio.create_task(listener_of(market, streams, poll_seconds=3600).run())
    await market.register()
    async with asyncio.timeout(5):
        while len(streams.confirmed) < 7:  # noqa: ASYNC110  the publisher is the only thing to wait for
            await asyncio.sleep(0.005)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert streams.of("confirmed") == await events_of(market)


async def test_a_broker_outage_loses_nothing_and_repeats_only_the_event_in_question(market) -> None:
    await market.register()
    store, streams = Store(), Streams()
    for allowed in range(0, 15, 2):
        streams.refuse_after = allowed
        with contextlib.suppress(ConnectionError):
            await catch_up(listener_of(market, streams, store))
    streams.refuse_after = None
    await catch_up(listener_of(market, streams, store))
    assert list(streams.confirmed.values()) == await events_of(market)
    assert len(streams.published) <= 14 + 8


async def test_confirmed_waits_for_blocks_on_top(market) -> None:
    streams = Streams()
    listener = listener_of(market, streams, confirmations=3)
    await market.register()
    for passed in range(4):
        await catch_up(listener)
        assert len(streams.of("seen")) == 7
        assert len(streams.of("confirmed")) == 4 + passed
        await market.rpc.call("evm_mine")


async def test_history_older_than_the_window_is_read_by_ranges(market) -> None:
    await market.register()
    for _ in range(30):
        await market.rpc.call("evm_mine")
    await market.open()
    streams = Streams()
    listener = listener_of(market, streams, confirmations=2, window=4)
    await catch_up(listener)
    assert len(streams.of("confirmed")) == 7
    assert len(streams.of("seen")) == 8
    for _ in range(30):
        await market.rpc.call("evm_mine")
    await catch_up(listener)
    assert streams.of("confirmed") == streams.of("seen") == await events_of(market)


async def test_the_wrong_chain_contract_or_genesis_is_refused(market) -> None:
    streams, store = Streams(), Store()
    good = market.deployment.market
    for wrong in (
        Market(chain_id=5, contract=good.contract),
        Market(chain_id=1337, contract="0x" + "a" * 40),
    ):
        listener = ChainListener(market.rpc, wrong, StoredCursor(store, wrong), streams.publish)
        with pytest.raises(WrongChain):
            await listener.run()
    await catch_up(listener_of(market, streams, store))
    name = f"chain-cursor/1337/{good.contract}"
    genesis = bytes.fromhex((await market.rpc.call("eth_getBlockByNumber", "0x0", False))["hash"][2:])
    store.put_value(name, store.values(name)[""].replace(genesis, b"g" * 32))
    for _ in range(2):
        with pytest.raises(WrongChain, match="begins with another block"):
            await listener_of(market, streams, store).step()


def test_a_window_no_larger_than_the_confirmations_is_refused() -> None:
    market = Market(chain_id=1, contract="0x" + "a" * 40)
    with pytest.raises(MisuseError, match="12 confirmations with a window of 12"):
        ChainListener(None, market, None, None, confirmations=12, window=12)


# ---- a real node that reorganises ----


async def register_anew(market, index: int) -> None:
    client = market.clients[index % len(ROLES)]
    await client.submit(Register(role=ROLES[index % len(ROLES)], exchange_key=os.urandom(32)))


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
async def test_reorganisations_of_a_real_node_are_taken_back_and_followed(anvil_market, depth) -> None:
    market, streams, store = anvil_market, Streams(), Store()
    numbers = itertools.count()
    for _ in range(3):
        for _ in range(depth + 1):
            await register_anew(market, next(numbers))
        await catch_up(listener_of(market, streams, store, confirmations=5, window=12))
        before = len(streams.published)
        await market.rpc.call("anvil_reorg", depth, [])
        await catch_up(listener_of(market, streams, store, confirmations=5, window=12))
        taken_back = [event for _, event in streams.published[before:] if event.removed]
        assert len(taken_back) == depth
        numbers = itertools.count(next(numbers) - depth - 1)
    await market.rpc.call("anvil_mine", hex(5))
    await catch_up(listener_of(market, streams, store, confirmations=5, window=12))
    expected = await events_of(market)
    assert len(expected) >= 3
    assert streams.of("confirmed") == expected
    assert list(streams.seen.values()) == expected


async def test_a_reorganisation_below_confirmed_events_stops_the_listener(anvil_market) -> None:
    market, streams = anvil_market, Streams()
    listener = listener_of(market, streams, confirmations=1, window=12)
    for index in range(4):
        await register_anew(market, index)
    await catch_up(listener)
    await market.rpc.call("anvil_reorg", 3, [])
    with pytest.raises(DeepReorganisation, match="confirmed"):
        await listener.run()


# ---- a node that changes between any two requests ----


reorganisations = st.tuples(st.integers(0, 3), st.integers(0, 2))
changes = st.one_of(st.none(), reorganisations, reorganisations)
plans = st.lists(st.one_of(changes, changes, st.just("down")), min_size=10, max_size=60)


@settings(max_examples=150, deadline=None)
@given(plans)
def test_a_node_that_reorganises_between_any_two_requests_loses_and_doubles_nothing(plan) -> None:
    async def follow() -> None:
        node, streams, store = ShiftingNode(plan), Streams(), Store()
        place = StoredCursor(store, node.MARKET)
        # The depth of one change is at most 3, but several may fall between two looks of the listener.
        listener = ChainListener(
            node,
            node.MARKET,
            place,
            streams.publish,
            confirmations=190,
            window=200,
            first_block=1,
        )
        for _ in range(len(plan) + 5):
            with contextlib.suppress(ChainUnavailable, RpcError):
                await listener.step()
        node.change(0, 190)
        await catch_up(listener)
        final = node.amounts_between(1, len(node.blocks) - 190)
        assert [event.event.amount for event in streams.of("confirmed")] == final
        newest = node.amounts_between(1, len(node.blocks))
        assert [event.event.amount for event in streams.seen.values()] == newest
        store.close()

    asyncio.run(follow())
