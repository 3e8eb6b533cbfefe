"""One worker process: what it is asked for, what it raises, who stops waiting, how it ends."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from services.common import worker_process
from services.common.worker_process import WorkerNotStartedError, WorkerProcess

SECRET = "weights"


class Unpackable(Exception):  # noqa: N818  only its packing is wrong
    """Cannot be made again from what is packed of it."""

    def __init__(self, text, more):
        super().__init__(text)
        self.more = more


def raise_unpackable():
    raise Unpackable(SECRET, 1)


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
async def worker():
    made = WorkerProcess()
    yield made
    await made.close()


async def test_tasks_run_in_one_other_process_with_their_arguments_and_outcomes(worker):
    long = os.urandom(3_000_000)
    assert await worker.run(bytes.upper, long) == long.upper()
    assert await worker.run(os.getpid) == worker.pid != os.getpid()


async def test_what_a_task_raises_is_raised_here_and_the_worker_goes_on(worker):
    with pytest.raises(ValueError, match="invalid literal"):
        await worker.run(int, "one")
    with pytest.raises(RuntimeError) as raised:
        await worker.run(raise_unpackable)
    assert str(raised.value) == "Unpackable"
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(worker.run(next, iter(())), 60)
    assert await worker.run(int, "1") == 1


async def test_who_stops_waiting_does_not_get_the_next_one_the_wrong_answer(worker):
    await worker.run(int, "1")
    given_up = asyncio.create_task(worker.run(str.upper, "first"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await worker.run(str.upper, "second") == "SECOND"
    assert given_up.cancelled()


async def test_ctrl_c_of_a_terminal_does_not_end_a_task(worker):
    await worker.run(int, "1")
    os.kill(worker.pid, signal.SIGINT)
    assert await worker.run(int, "2") == 2


async def test_a_worker_that_ends_fails_what_waits_and_what_comes(worker):
    for _ in range(2):
        with pytest.raises(BrokenProcessPool):
            await worker.run(os._exit, 1)


class OnlyThere(Exception):  # noqa: N818  stands for what this process cannot make again
    """Packed by its worker, and not to be had from there."""

    def __reduce__(self):
        return (os.strerror, ("no number",))


def make_only_there():
    return OnlyThere()


async def test_an_answer_that_cannot_be_unpacked_is_no_endless_wait(worker):
    with pytest.raises(TypeError):
        await asyncio.wait_for(worker.run(make_only_there), 60)
    assert await worker.run(int, "1") == 1


def no_room():
    raise BlockingIOError(errno.EAGAIN, "no room")


async def test_a_worker_that_cannot_be_started_says_that_it_may_be_tried_again(monkeypatch):
    monkeypatch.setattr(worker_process, "prepare", no_room)
    worker = WorkerProcess()
    for _ in range(2):
        with pytest.raises(WorkerNotStartedError):
            await worker.run(int, "1")
    await worker.close()


async def test_a_worker_is_ended_in_the_middle_of_a_task():
    worker = WorkerProcess()
    pid = await worker.run(os.getpid)
    endless = asyncio.create_task(worker.run(time.sleep, 3600))
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(BrokenProcessPool):
        await endless
    assert not is_there(pid)


async def test_a_worker_that_nobody_asked_ends_as_well():
    worker = WorkerProcess()
    await worker.close()
    assert not is_there(worker.pid)


def test_what_is_forked_from_is_started_without_loading_what_it_loads():
    text = (
        "import sys\nfrom services.common.worker_process import prepare\nprepare()\n"
        "assert not {'numpy', 'pydantic', 'gmpy2'} & set(sys.modules)"
    )
    root = str(Path(__file__).resolve().parents[3])
    subprocess.run([sys.executable, "-c", text], check=True, env={**os.environ, "PYTHONPATH": root})
