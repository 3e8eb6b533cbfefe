"""A checked training by processes over RabbitMQ and a node; two of them die in the middle of its checks."""

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.checked_training import is_checking, verify_transcript
from tests.support.daemons.daemon_market import write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket

ROUNDS, LOCAL_STEPS, OWNERS = 2, 2, 4


class CheckedMarket(ForkedMarket):
    """Four owners of three columns, under the shortest key that proofs of two trainers' products fit in."""

    key_bits = 1024


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
    chosen = [columns.index("bmi"), columns.index("bp"), len(columns) - 1]
    names = tuple(columns[index] for index in chosen)
    async with CheckedMarket(tmp_path, rabbitmq, names, deal(rows[:, chosen], OWNERS, 39), forks) as running:
        yield running


async def test_records_and_model_are_numpys_after_kills(market):
    await market.introduced()
    request = write_request(market, rounds=ROUNDS, local_steps=LOCAL_STEPS, minimum=OWNERS, maximum=OWNERS)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: is_checking(market))
    for name in ("aggregator", "owner-1"):
        market.daemons[name].kill()
    for name in ("aggregator", "owner-1"):
        market.daemons[name].start()
    await market.until(lambda: all(market.shown(name) == ["FINISHED"] for name in market.addresses))
    await check_outcome(market, rounds=ROUNDS, local_steps=LOCAL_STEPS)
    assert await market.broker.depth("deltaml.dead.letters") == 0
    for name in market.addresses:
        verify_transcript(market, name, ROUNDS)
