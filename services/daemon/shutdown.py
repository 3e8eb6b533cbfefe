"""How a daemon ends when it is told to: whatever it has reached, in bounded time, with everything closed."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)

DRAIN_SECONDS = 30.0
CLOSE_SECONDS = 10.0


class Stopping:
    """What a daemon has to do between SIGTERM and its end; nothing, as long as it only starts."""

    def __init__(self, drain_seconds: float = DRAIN_SECONDS) -> None:
        """So long the work may take to end by itself."""
        self._drain: Callable[[], None] | None = None
        self._drain_seconds = drain_seconds

    def drain_by(self, drain: Callable[[], None]) -> None:
        """Call `drain` at SIGTERM: the work then takes nothing more in and ends after the steps in hand."""
        self._drain = drain

    async def carry_out(self, task: asyncio.Task[None]) -> None:
        """End `task`, with what it has in hand if that takes no longer than it may."""
        if self._drain is not None:
            self._drain()
            await asyncio.wait({task}, timeout=self._drain_seconds)
        await cancelled(task, CLOSE_SECONDS)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("stopping_failed", reason=type(error).__name__)


async def until_told(work: Coroutine[Any, Any, None], stopping: Stopping) -> None:
    """Carry out `work` until it ends, or until SIGTERM or SIGINT; they are heeded from its first step on.

    Raises what `work` raises before it is told to stop.
    """
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    task, waiter = loop.create_task(work), loop.create_task(signalled.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
    else:
        _log.info("daemon_draining", pid=os.getpid())
        await stopping.carry_out(task)
    _log.info("daemon_stopped", pid=os.getpid())


async def cancelled(task: asyncio.Task[Any], seconds: float) -> None:
    """Cancel a task until it has ended, again after every so many seconds.

    The error of a lost connection can take a cancellation's place, and closing a half-open one can wait for
    ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=seconds)
