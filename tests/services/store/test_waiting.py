"""A database server that dies and comes back: nothing lost, nothing doubled, and one daemon still alone."""

import asyncio
import time

import psycopg
import pytest

from services.common.errors import StoreInUse, StoreUnavailable
from services.store import Store
from services.store.waiting import retry_while_unavailable
from tests.support.daemons.scripted_daemon import DyingStore, World, answering, until
from tests.support.database.postgresql import fresh_schema
from tests.support.database.private_postgresql import private_cluster
from tests.support.database.stores import FIRST, everything, full_writes, offered, writes

WORDS = ("one", "two", "three", "four", "five", "six")


REST_SECONDS = 0.05


@pytest.fixture(scope="module")
def cluster():
    """One of its own: it is killed."""
    with private_cluster() as running:
        yield running


@pytest.fixture
def url(cluster):
    with fresh_schema(cluster.url) as made:
        yield made


def end_sessions(url):
    """As a network that drops every connection of the daemons would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'deltaml-%'"
        )


def test_what_was_committed_is_there_after_the_servers_death(cluster, url):
    store = Store(url, exclusive=True, rest_seconds=REST_SECONDS)
    store.write_step(offered(store), full_writes(), now=0.0)
    resting = Store(url, existing=True, rest_seconds=3600)
    before = everything(store)
    cluster.kill()
    for opened in (store, resting):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            opened.instance("1")
    cluster.start()
    time.sleep(2 * REST_SECONDS)
    assert everything(store) == before
    with pytest.raises(StoreUnavailable, match="did not answer a moment ago"):
        resting.instances()  # without asking: many tasks would block the daemon one after another
    resting.close()
    with pytest.raises(StoreInUse):  # the lock was taken again with the new session
        Store(url, exclusive=True, rest_seconds=REST_SECONDS)
    store.close()


def test_a_transaction_that_loses_its_server_leaves_nothing(cluster, url):
    store = Store(url, exclusive=True, rest_seconds=REST_SECONDS)
    item = offered(store)
    before = everything(store)

    class Killing(dict):
        def items(self):
            end_sessions(url)
            return super().items()

    step = writes(effects=[("call", b"c")], timers={"late": 1.0})
    step.results = Killing(model=b"m")
    with pytest.raises(StoreUnavailable):
        store.write_step(item, step, now=0.0)
    time.sleep(0.1)
    assert everything(store) == before
    assert store.next_input("1") == item
    store.close()


def test_a_step_whose_commit_was_not_heard_of_is_not_written_twice(store_url):
    store = Store(store_url, exclusive=True)
    item = offered(store)
    store.write_step(item, full_writes(), now=0.0)
    before = everything(store)
    store.write_step(item, full_writes(b"b"), now=1.0)
    store.finish_input(item, 1.0, effects=[("letter", b"l")], facts=[("told", {})])
    assert everything(store) == before
    effect, _ = store.due_effects(0.0)
    for _ in range(2):
        store.give_up_effect(effect, 2.0, ("letter", b"l"), ("undeliverable", {}))
    assert [one.kind for one in store.due_effects(2.0)] == ["call", "letter"]
    store.close()


def test_a_daemon_that_was_overtaken_writes_nothing_more(cluster, url):
    first = Store(url, exclusive=True, rest_seconds=REST_SECONDS)
    item = offered(first)
    cluster.kill()
    cluster.start()
    second = Store(url, exclusive=True, rest_seconds=REST_SECONDS)  # it was quicker
    for _ in range(2):
        with pytest.raises(StoreInUse, match="stop its daemon first"):
            first.write_step(item, full_writes(), now=0.0)
    assert second.instance("1") is None
    second.close()
    first.close()


async def test_what_is_asked_of_a_store_that_is_away_is_asked_until_it_answers(cluster, url):
    store = Store(url, exclusive=True, rest_seconds=REST_SECONDS)
    cluster.kill()
    asking = asyncio.create_task(retry_while_unavailable(lambda: store.add_inputs([(FIRST, "1", b"input")])))
    await asyncio.sleep(0.2)
    assert not asking.done()
    await asyncio.to_thread(cluster.start)
    await asking
    assert store.waiting_inputs() == 1
    store.close()


async def test_a_daemon_whose_server_is_killed_again_and_again_does_everything_once(cluster, url):
    world = World(DyingStore(url, rest_seconds=REST_SECONDS))
    world.pool.script = answering(world)
    async with world.running() as runtime:
        for number, word in enumerate(WORDS):
            await world.send(word)
            if number % 2:
                await asyncio.sleep(0.01 * number)
                cluster.kill()
                await asyncio.sleep(0.1)
                await asyncio.to_thread(cluster.start)
        await until(lambda: _state(world).count(b" ") == len(WORDS) + 1)  # "three" also sets a timer
        await until(runtime.is_idle)
    said = [word for word in _state(world).decode().split() if word != "late"]
    assert said == list(WORDS)
    assert sorted(await world.heard()) == sorted(f"re_{word}" for word in (*WORDS, "late"))
    facts = [data["of"] for name, data, _at in world.store.facts("1") if name == "told"]
    assert sorted(facts) == sorted((*WORDS, "late"))
    world.store.close()


def _state(world):
    try:
        row = world.store.instance("1")
    except StoreUnavailable:
        return b""
    return b"" if row is None else row.state
