"""Waiting for an event or for a time, whichever comes first."""

import asyncio


async def happens(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether `event` is set within `seconds`, None for however long it takes.

    asyncio.wait_for is not used: before Python 3.12 it can swallow a cancellation that meets the event, and
    then nobody stops the task.
    """
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
