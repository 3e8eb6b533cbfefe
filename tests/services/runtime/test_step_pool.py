"""Steps in worker processes: a worker that is killed costs time, never a step."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages import StopOrder, TrainingOrder
from protocol.request_parsing import parse_request
from protocol.roles.dispatch import decode_state
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import MessageReceived
from services.common import worker_process
from services.runtime.step_pool import StepPool, timed_step
from tests.support.daemons.service_world import MARKET, OneKey, Person
from tests.support.roles.small_markets import small_request

ROLE = "model_buyer"


@pytest.fixture(scope="module")
def buyer():
    return Person(ROLE)


@pytest.fixture(scope="module")
def context(buyer):
    return Context(
        address=buyer.address,
        market=MARKET,
        now=0.0,
        seed=b"s" * 32,
        signing_key=buyer.identity.signing_key,
        private={"paillier": OneKey().content},
        least_key_bits=512,
    )


@pytest.fixture(scope="module")
def order(buyer):
    request = parse_request(small_request(aggregator=Person("federated_aggregator").address))
    return MessageReceived(signed=buyer.signed(buyer, TrainingOrder(request=request), training=0))


@pytest.fixture
async def pool():
    made = StepPool(1)
    yield made
    await made.close()


class Deadly:
    """Ends the worker that unpacks it."""

    address = "deadly"

    def __reduce__(self):
        return os._exit, (1,)


def worker_of(pool):
    (worker,) = pool.processes
    return worker


async def test_a_worker_takes_the_same_step_as_this_process(pool, order, context):
    here = timed_step(ROLE, None, order, context)
    there = await pool.run(ROLE, None, order, context)
    assert there.step == here.step
    assert decode_state(ROLE, there.step.state).phase == "ordered"
    assert (await StepPool(0).run(ROLE, None, order, context)).step == here.step


async def test_a_step_whose_worker_was_killed_is_run_again(pool, order, context):
    pool.start()
    victim = worker_of(pool)
    running = asyncio.create_task(pool.run(ROLE, None, order, context))
    await asyncio.sleep(0)
    os.kill(victim, signal.SIGKILL)
    assert (await running).step == timed_step(ROLE, None, order, context).step


async def test_a_pool_whose_worker_was_killed_between_steps_goes_on(pool, order, context):
    await pool.run(ROLE, None, order, context)
    victim = worker_of(pool)
    os.kill(victim, signal.SIGKILL)
    steps = await asyncio.gather(*(pool.run(ROLE, None, order, context) for _ in range(3)))
    assert worker_of(pool) != victim
    assert {one.step.state for one in steps} == {timed_step(ROLE, None, order, context).step.state}


async def test_a_worker_that_could_not_be_started_is_replaced(pool, order, context, monkeypatch):
    def no_room():
        raise BlockingIOError(errno.EAGAIN, "no room")

    with monkeypatch.context() as without_room:
        without_room.setattr(worker_process, "prepare", no_room)
        with pytest.raises(OSError, match="BlockingIOError"):
            await pool.run(ROLE, None, order, context)
    # What took the place was on its way while there was no room.
    with suppress(OSError):
        await pool.run(ROLE, None, order, context)
    assert (await pool.run(ROLE, None, order, context)).step == timed_step(ROLE, None, order, context).step


async def test_a_step_that_kills_every_worker_is_given_up_loudly(pool, order, context):
    with pytest.raises(BrokenProcessPool):
        await pool.run(ROLE, None, order, Deadly())
    await pool.run(ROLE, None, order, context)


async def test_a_step_that_kills_its_worker_costs_no_other_step(pool, order, context):
    deadly, *others = await asyncio.gather(
        pool.run(ROLE, None, order, Deadly()),
        *(pool.run(ROLE, None, order, context) for _ in range(3)),
        return_exceptions=True,
    )
    assert isinstance(deadly, BrokenProcessPool)
    assert {one.step.state for one in others} == {timed_step(ROLE, None, order, context).step.state}


class Place:
    """A step's context of some party, which tells the worker that looks whose step it is."""

    def __init__(self, name):
        self.name, self.home = name, os.getpid()

    @property
    def address(self):
        if os.getpid() != self.home:
            raise ProtocolViolation("place", str(os.getpid()))
        return self.name


async def test_a_partys_steps_stay_with_one_worker_and_two_at_once_do_not_wait(order, context):
    pool = StepPool(2)

    async def place_of(name):
        with pytest.raises(ProtocolViolation) as caught:
            await pool.run(ROLE, None, order, Place(name))
        return int(caught.value.detail)

    try:
        first, second = await asyncio.gather(place_of("a"), place_of("b"))
        assert {first, second} == set(pool.processes)
        assert [await place_of(one) for one in "abba"] == [first, second, second, first]
        both = await asyncio.gather(place_of("a"), place_of("a"))
        assert set(both) == {first, second}
    finally:
        await pool.close()


async def test_a_peers_fault_comes_back_from_a_worker_as_such(pool, buyer, context):
    stop = MessageReceived(signed=buyer.signed(buyer, StopOrder(training=1, reason="enough")))
    with pytest.raises(ProtocolViolation) as caught:
        await pool.run(ROLE, None, stop, context)
    assert caught.value.code == "unknown_training"


HOLDER = """
import asyncio, os, sys
from services.runtime.step_pool import StepPool

def main():
    pool = StepPool(2)
    pool.start()
    print(*pool.processes, flush=True)
    sys.stdin.read()

if __name__ == "__main__":
    main()
"""


def test_workers_end_when_their_daemon_is_killed(tmp_path):
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    root = str(Path(__file__).resolve().parents[3])
    holder = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    try:
        workers = {int(pid) for pid in holder.stdout.readline().split()}
        assert workers
    finally:
        holder.kill()
        holder.wait(300)
        holder.stdin.close()
        holder.stdout.close()
    deadline = time.monotonic() + 20
    while left := {pid for pid in workers if Path(f"/proc/{pid}").exists()}:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)
