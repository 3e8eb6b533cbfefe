"""Trainings by daemons across what happens to stores: PostgreSQL that dies, an upgrade, a move, a restore."""

import asyncio
from contextlib import ExitStack, closing

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.command_line import run
from tests.support.daemons.daemon_market import write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.database.postgresql import fresh_schema
from tests.support.database.private_postgresql import private_cluster
from tests.support.database.schema_2 import taken_back

ROUNDS = 4


@pytest.fixture
def cluster():
    """One of its own: it is killed."""
    with private_cluster() as running:
        yield running


@pytest.fixture
def market_of(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()

    def make(store_of=None):
        return ForkedMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks, store_of=store_of)

    return make


async def ordered(market):
    """A training under way: its first round is recorded."""
    await market.introduced()
    request = write_request(market, rounds=ROUNDS, local_steps=5)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: _rounds(market) >= 1)


async def ended(market):
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await check_outcome(market, rounds=ROUNDS, local_steps=5)


def _rounds(market):
    with closing(market.store("buyer")) as store:
        return sum(
            name == "round_recorded" for row in store.instances() for name, _, _ in store.facts(row.key)
        )


def stopped(market):
    assert {name: daemon.stop() for name, daemon in market.daemons.items()} == dict.fromkeys(
        market.daemons, 0
    )


def administered(*arguments):
    return run("admin", "store", *arguments).stdout


async def test_a_training_on_postgresql_whose_server_is_killed_in_the_middle(market_of, cluster):
    with ExitStack() as stack:
        schemas = {}

        def store_of(name):
            if name not in schemas:
                schemas[name] = stack.enter_context(fresh_schema(cluster.url))
            return schemas[name]

        async with market_of(store_of) as market:
            await ordered(market)
            cluster.kill()
            await asyncio.sleep(2)
            await asyncio.to_thread(cluster.start)
            await ended(market)
            for name in market.daemons:
                assert "sound" in administered("check", "--store", market.store_url(name))
            stopped(market)


async def test_stores_of_the_last_schema_are_upgraded_in_the_middle_of_a_training(market_of, tmp_path):
    async with market_of() as market:
        await ordered(market)
        stopped(market)
        for name in market.daemons:
            taken_back(tmp_path / f"{name}.sqlite")
        for daemon in market.daemons.values():
            daemon.start()
        await ended(market)
        for name in market.daemons:
            assert "sound" in administered("check", "--config", str(market.config(name)))


async def test_daemons_move_to_postgresql_in_the_middle_of_a_training(market_of, cluster, tmp_path):
    with ExitStack() as stack:
        async with market_of() as market:
            await ordered(market)
            stopped(market)
            for name, daemon in market.daemons.items():
                file, url = tmp_path / f"{name}.backup", stack.enter_context(fresh_schema(cluster.url))
                administered("backup", str(file), "--config", str(market.config(name)))
                administered("restore", str(file), "--store", url, "--resume")
                market.move(name, url)
                daemon.start()
            await ended(market)
            stopped(market)


async def test_an_owner_restored_from_a_backup_gives_up_and_takes_part_in_the_next(market_of, tmp_path):
    async with market_of() as market:
        await ordered(market)
        name = market.owners[0]
        file = tmp_path / "owner.backup"
        administered("backup", str(file), "--config", str(market.config(name)))  # it runs
        market.daemons[name].kill()
        store = tmp_path / f"{name}.sqlite"
        for one in tmp_path.glob(f"{name}.sqlite*"):
            one.unlink()
        administered("restore", str(file), "--store", str(store))
        market.daemons[name].start()
        assert market.shown(name) == ["FAILED(restored)"]
        request = write_request(market, rounds=2, local_steps=5, training="the next")
        market.command("train", str(request), "--config", str(market.config("buyer")))
        await market.until(lambda: market.shown(name)[-1] == "FINISHED")
        assert market.shown(name) == ["FAILED(restored)", "FINISHED"]
