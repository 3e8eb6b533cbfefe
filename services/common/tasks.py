"""Waiting: for an event or for a time, whichever comes first, and for what never ends by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether `event` is set within `seconds`, None for however long it takes.

    asyncio.wait_for is not used: before Python 3.12 it can swallow a cancellation that meets the event, and
    then nobody stops the task.
    """
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def told_to_stop() -> bool:
    """Whether a cancellation that was caught is meant for the running task, not for what it waited on."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def run_forever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Carry out what ends only when it is cancelled; an end that nobody asked for raises RuntimeError.

    A task group would take a task that a library has cancelled from inside for one that was told to stop.
    """
    try:
        await work()
    except asyncio.CancelledError:
        if told_to_stop():
            raise
    raise RuntimeError("a task that should not ended by itself")


IDLE_SECONDS = 15.0
"""The longest that a task may wait without a heartbeat; a consumer's own quiet spell is 20 seconds."""


async def run_until_first_exit(*work: Coroutine[Any, Any, None]) -> None:
    """Until the first of them ends or dies; then without the others."""
    tasks = [asyncio.create_task(part) for part in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
