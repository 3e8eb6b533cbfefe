"""Trainings by daemons across what happens to stores: PostgreSQL that dies, an upgrade, a move, a restore."""

import asyncio
from contextlib import ExitStack, closing

import pytest

from services.data.samples import deal
from tests.support.daemons.command_line import run
from tests.support.daemons.daemon_market import two_features, write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.database.postgresql import fresh_schema
from tests.support.database.private_postgresql import private_cluster
from tests.support.database.schema_2 import taken_back

ROUNDS, LONG = 4, 8
"""The long training is still under way after two restarts of everybody."""


@pytest.fixture
def cluster():
    """One of its own: it is killed."""
    with private_cluster() as running:
        yield running


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = two_features()
    async with ForkedMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


async def ordered(market, rounds=ROUNDS):
    """A training under way: its first round is recorded."""
    await market.introduced()
    request = write_request(market, rounds=rounds, local_steps=5)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: _rounds(market) >= 1)


async def one_round_more(market):
    before = _rounds(market)
    assert before < LONG
    await market.until(lambda: _rounds(market) > before)


async def at_work(market, starts):
    """Until every daemon has started so often: a round may do without one that is still opening its store."""
    await market.until(
        lambda: all(one.log.read_text().count("daemon_started") >= starts for one in market.daemons.values())
    )


async def ended(market, rounds):
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await check_outcome(market, rounds=rounds, local_steps=5)


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


async def test_a_training_across_an_upgrade_a_move_to_postgresql_and_its_servers_death(
    market, cluster, tmp_path
):
    """One training for all three: each finds it under way, and it ends as if nothing had happened."""
    await ordered(market, rounds=LONG)
    upgrade(market, tmp_path)
    await one_round_more(market)
    await at_work(market, starts=2)
    for name in market.daemons:
        assert "sound" in administered("check", "--config", str(market.config(name)))
    with ExitStack() as stack:
        move(market, tmp_path, lambda: stack.enter_context(fresh_schema(cluster.url)))
        await one_round_more(market)
        await at_work(market, starts=3)
        assert _rounds(market) < LONG
        cluster.kill()
        await asyncio.sleep(2)
        await asyncio.to_thread(cluster.start)
        await ended(market, rounds=LONG)
        for name in market.daemons:
            assert "sound" in administered("check", "--store", market.store_url(name))
        stopped(market)


def upgrade(market, folder):
    """Stop, have stores of the last schema, start."""
    stopped(market)
    for name, daemon in market.daemons.items():
        taken_back(folder / f"{name}.sqlite")
        daemon.start()


def move(market, folder, new_schema):
    """Kill each daemon wherever it happens to be, back up, restore to PostgreSQL, start."""
    for daemon in market.daemons.values():
        daemon.kill()
    for name, daemon in market.daemons.items():
        file, url = folder / f"{name}.backup", new_schema()
        administered("backup", str(file), "--config", str(market.config(name)))
        administered("restore", str(file), "--store", url, "--resume")
        market.move(name, url)
        daemon.start()


async def test_an_owner_restored_from_a_backup_gives_up_and_takes_part_in_the_next(market, tmp_path):
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
