"""SIGTERM is heeded whatever a daemon has reached, and nothing that closes late keeps it from ending."""

import asyncio
import os
import signal

import pytest

from services.daemon.shutdown import Stopping, cancelled, until_told


def tell_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


async def test_a_daemon_that_only_starts_closes_what_it_has_opened():
    closed = []

    async def starts():
        try:
            tell_to_stop()
            await asyncio.Event().wait()
        finally:
            closed.append("store")

    await until_told(starts(), Stopping())
    assert closed == ["store"]


async def test_a_daemon_that_works_finishes_what_it_has_in_hand():
    finished, told, plan = [], asyncio.Event(), Stopping()

    async def works():
        plan.drain_by(told.set)
        tell_to_stop()
        await told.wait()
        await asyncio.sleep(0.01)
        finished.append("step")

    await until_told(works(), plan)
    assert finished == ["step"]


async def test_what_takes_too_long_is_cut_off():
    cut, plan = [], Stopping(drain_seconds=0.05)

    async def works():
        plan.drain_by(lambda: None)
        tell_to_stop()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut.append("step")
            raise

    await until_told(works(), plan)
    assert cut == ["step"]


async def test_a_daemon_that_ends_by_itself_says_why():
    async def fails():
        raise ValueError("the configuration")

    with pytest.raises(ValueError, match="the configuration"):
        await until_told(fails(), Stopping())


async def test_what_fails_while_it_is_closed_does_not_spoil_the_end():
    async def works():
        try:
            tell_to_stop()
            await asyncio.Event().wait()
        finally:
            raise ConnectionError("the broker is away")

    await until_told(works(), Stopping())


async def test_a_swallowed_cancellation_is_repeated():
    swallowed = []

    async def swallows():
        while len(swallowed) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append("once more")

    task = asyncio.create_task(swallows())
    await asyncio.sleep(0)
    await cancelled(task, 0.01)
    assert len(swallowed) == 3
