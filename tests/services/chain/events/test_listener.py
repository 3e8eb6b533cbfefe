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
from services.chain.events.listener import ChainListener
from services.store import Store
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import ROLES
from tests.support.chain.shifting_node import ShiftingNode
from tests.support.daemons.following import Following, Streams


def following(market, streams, store=None, **options):
    options = {"confirmations": 0, "first_block": market.deployment.block, "poll_seconds": 0.02} | options
    return Following(market.rpc, market.deployment.market, streams, store, **options)


def be_killed(*_arguments, **_options) -> None:
    raise InterruptedError("killed")


async def events_of(market):
    return await chain_events(market.buyer, market.deployment.block)


async def test_every_event_once_in_order_across_restarts(market, tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'listener.sqlite'}"
    streams = Streams()
    await market.register()
    training = await market.open()
    for act in (lambda: market.draw(training), lambda: asyncio.sleep(0)):
        store = Store(url)
        await following(market, streams, store).catch_up()
        store.close()
        await act()
    expected = await events_of(market)
    assert len(expected) == 7 + 1 + 5 + 1 + 5 + 1
    assert streams.of("seen") == expected
    assert streams.of("confirmed") == expected


async def test_a_running_listener_is_woken_by_blocks_and_stops_when_cancelled(market) -> None:
    streams = Streams()
    task = asyncio.create_task(following(market, streams, poll_seconds=3600).run())
    await market.register()
    async with asyncio.timeout(300):
        while len(streams.confirmed) < 7:
            await asyncio.sleep(0.005)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert streams.of("confirmed") == await events_of(market)


async def test_a_broker_outage_loses_nothing_and_repeats_nothing(market) -> None:
    await market.register()
    store, streams = Store(), Streams()
    for allowed in range(0, 15, 2):
        streams.refuse_after = allowed
        with contextlib.suppress(ConnectionError):
            await following(market, streams, store).catch_up()
    streams.refuse_after = None
    await following(market, streams, store).catch_up()
    assert list(streams.confirmed.values()) == await events_of(market)
    assert len(streams.published) == 14


async def test_confirmed_waits_for_blocks_on_top(market) -> None:
    streams = Streams()
    listener = following(market, streams, confirmations=3)
    await market.register()
    for passed in range(4):
        await listener.catch_up()
        assert len(streams.of("seen")) == 7
        assert len(streams.of("confirmed")) == 4 + passed
        await market.rpc.call("evm_mine")


async def test_history_older_than_the_window_is_read_by_ranges(market) -> None:
    await market.register()
    for _ in range(30):
        await market.rpc.call("evm_mine")
    await market.open()
    streams = Streams()
    listener = following(market, streams, confirmations=2, window=4)
    await listener.catch_up()
    assert len(streams.of("confirmed")) == 7
    assert len(streams.of("seen")) == 8
    for _ in range(30):
        await market.rpc.call("evm_mine")
    await listener.catch_up()
    assert streams.of("confirmed") == streams.of("seen") == await events_of(market)


async def test_the_wrong_chain_contract_or_genesis_is_refused(market) -> None:
    streams, store = Streams(), Store()
    good = market.deployment.market
    for wrong in (
        Market(chain_id=5, contract=good.contract),
        Market(chain_id=1337, contract="0x" + "a" * 40),
    ):
        with pytest.raises(WrongChain):
            await Following(market.rpc, wrong, streams, store).listener.run()
    await following(market, streams, store).catch_up()
    name = f"chain-cursor/1337/{good.contract}"
    genesis = bytes.fromhex((await market.rpc.call("eth_getBlockByNumber", "0x0", False))["hash"][2:])
    store.put_value(name, store.values(name)[""].replace(genesis, b"g" * 32))
    for _ in range(2):
        with pytest.raises(WrongChain, match="begins with another block"):
            await following(market, streams, store).read()


def test_a_window_no_larger_than_the_confirmations_is_refused() -> None:
    market = Market(chain_id=1, contract="0x" + "a" * 40)
    with pytest.raises(MisuseError, match="12 confirmations with a window of 12"):
        ChainListener(None, market, None, confirmations=12, window=12)


# ---- a real node that reorganises ----


@pytest.mark.parametrize("killed_in", ["effects_done", "put_value"])
async def test_what_was_published_before_a_crash_is_taken_back_after_a_reorganisation(
    anvil_market, monkeypatch, killed_in
) -> None:
    market, streams, store = anvil_market, Streams(), Store()
    await following(market, streams, store, confirmations=5).catch_up()
    await register_anew(market, 0)
    with monkeypatch.context() as killed:
        killed.setattr(store, killed_in, be_killed)
        with pytest.raises(InterruptedError):
            await following(market, streams, store, confirmations=5).catch_up()
    assert len(streams.seen) == (killed_in == "effects_done")
    await market.rpc.call("anvil_reorg", 1, [])
    await following(market, streams, store, confirmations=5).catch_up()
    assert not streams.seen
    await market.rpc.call("anvil_mine", hex(6))
    await following(market, streams, store, confirmations=5).catch_up()
    assert not streams.published or streams.published[-1][1].removed


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
        await following(market, streams, store, confirmations=5, window=12).catch_up()
        before = len(streams.published)
        await market.rpc.call("anvil_reorg", depth, [])
        await following(market, streams, store, confirmations=5, window=12).catch_up()
        taken_back = [event for _, event in streams.published[before:] if event.removed]
        assert len(taken_back) == depth
        numbers = itertools.count(next(numbers) - depth - 1)
    await market.rpc.call("anvil_mine", hex(5))
    await following(market, streams, store, confirmations=5, window=12).catch_up()
    expected = await events_of(market)
    assert len(expected) >= 3
    assert streams.of("confirmed") == expected
    assert list(streams.seen.values()) == expected


async def test_a_reorganisation_below_confirmed_events_stops_the_listener(anvil_market) -> None:
    market, streams = anvil_market, Streams()
    listener = following(market, streams, confirmations=1, window=12)
    for index in range(4):
        await register_anew(market, index)
    await listener.catch_up()
    await market.rpc.call("anvil_reorg", 3, [])
    with pytest.raises(DeepReorganisation, match="confirmed"):
        await listener.listener.run()


# ---- a node that lags, was restored, or answers nonsense ----


def on(node, streams, **options):
    options = {"confirmations": 5, "window": 20, "first_block": 1, "poll_seconds": 0.001} | options
    return Following(node, node.MARKET, streams, **options)


@pytest.mark.parametrize("forgets", [True, False])
async def test_a_node_restored_to_an_older_state_is_waited_for_and_told_of(forgets) -> None:
    node, streams = ShiftingNode([], forgets=forgets), Streams()
    node.change(0, 15)
    following = on(node, streams)
    await following.catch_up()
    later = node.blocks[6:]
    del node.blocks[6:]
    task = asyncio.create_task(following.run())
    async with asyncio.timeout(300):
        while following.listener.trouble is None:
            await asyncio.sleep(0.001)
    with pytest.raises(ChainUnavailable, match="newest block is 5, but 15 was seen"):
        following.listener.check()
    node.blocks += later
    node.change(0, 10)
    async with asyncio.timeout(300):
        while len(streams.seen) < len(node.amounts_between(1, 26)):
            await asyncio.sleep(0.001)
    following.listener.check()
    task.cancel()
    assert not any(event.removed for _, event in streams.published)
    assert [event.event.amount for event in streams.seen.values()] == node.amounts_between(1, 26)


async def test_history_that_a_lagging_node_does_not_have_is_not_passed_over() -> None:
    """The head comes from a node that is up to date, the logs from another behind the same address."""

    class Balanced(ShiftingNode):
        lags = True

        def eth_blockNumber(self):  # noqa: N802
            return hex(99)

        def eth_getLogs(self, query):  # noqa: N802
            if "blockHash" in query:
                return super().eth_getLogs(query)
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            return [self.log(block) for block in self.blocks[first : last + 1] if block["amount"] % 3]

    node, streams = Balanced([]), Streams()
    node.change(0, 40)
    following = on(node, streams)
    with pytest.raises(ChainUnavailable, match="has no block 79 yet"):
        await following.listener.step()
    node.change(0, 59)
    await following.catch_up()
    assert [event.event.amount for event in streams.seen.values()] == node.amounts_between(1, 100)


async def test_a_node_that_fails_every_few_requests_is_followed_to_its_newest_block() -> None:
    node, streams = ShiftingNode(itertools.cycle([None] * 8 + ["down"])), Streams()
    node.change(0, 40)
    following = on(node, streams, window=128)
    task = asyncio.create_task(following.run())
    async with asyncio.timeout(300):
        while len(streams.seen) < len(node.amounts_between(1, 41)):
            await asyncio.sleep(0.001)
    task.cancel()
    assert [event.event.amount for event in streams.seen.values()] == node.amounts_between(1, 41)


GARBAGE = [
    None,
    True,
    7,
    "",
    "0x",
    "latest",
    [],
    {},
    [None],
    [{}],
    {"number": [], "hash": 1},
    "0x" + "f" * 64,
]
READ = [
    "eth_chainId",
    "eth_getCode",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getLogs",
]


@pytest.mark.parametrize("method", READ)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: repr(answer)[:20])
async def test_an_answer_of_a_wrong_type_costs_time_alone(method, answer) -> None:
    node, streams = ShiftingNode([]), Streams()
    node.change(0, 6)
    following = on(node, streams)
    setattr(node, method, lambda *_: answer)
    for _ in range(3):
        with contextlib.suppress(ChainUnavailable, RpcError, WrongChain):
            await following.listener.step()
    delattr(node, method)
    await following.catch_up()
    if not (method == "eth_getLogs" and answer == []):  # that is an answer
        assert [event.event.amount for event in streams.seen.values()] == node.amounts_between(1, 7)


# ---- a node that changes between any two requests ----


EXAMPLES = int(os.environ.get("DELTAML_HYPOTHESIS_EXAMPLES", "25"))
reorganisations = st.tuples(st.integers(0, 3), st.integers(0, 2))
changes = st.one_of(st.none(), reorganisations, reorganisations)
plans = st.lists(st.one_of(changes, changes, st.just("down")), min_size=10, max_size=60)


lives = st.lists(st.sampled_from(["publish", "publish", "wait", "die", "die unheard"]), max_size=40)


@settings(max_examples=EXAMPLES, deadline=None)
@given(plans, lives, st.booleans())
def test_changes_between_any_two_requests_and_crashes_lose_and_double_nothing(plan, life, forgets) -> None:
    async def follow() -> None:
        node, streams, store = ShiftingNode(plan, forgets=forgets), Streams(), Store()

        def begin():
            # The depth of one change is at most 3, but several may fall between two looks of the listener.
            return Following(node, node.MARKET, streams, store, confirmations=190, window=200, first_block=1)

        now = begin()
        for _, act in zip(
            range(len(plan) + 5), itertools.chain(life, itertools.repeat("wait")), strict=False
        ):
            with contextlib.suppress(ChainUnavailable, RpcError):
                await now.listener.step()
            if act == "publish":
                await now.publish()
            elif act == "die unheard":
                store.effects_done = be_killed
                with contextlib.suppress(InterruptedError):
                    await now.publish()
                del store.effects_done
            if act.startswith("die"):
                now = begin()
        node.change(0, 190)
        await now.catch_up()
        final = node.amounts_between(1, len(node.blocks) - 190)
        assert [event.event.amount for event in streams.confirmed.values()] == final
        newest = node.amounts_between(1, len(node.blocks))
        assert [event.event.amount for event in streams.seen.values()] == newest
        store.close()

    asyncio.run(follow())
