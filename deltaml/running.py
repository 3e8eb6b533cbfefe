"""Asynchronous work for callers that are not: scripts, and notebooks, in which a loop runs already."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run `work` to its end and return its result; an interrupt cancels it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _run_apart(work)


def _run_apart(work: Coroutine[Any, Any, _Result]) -> _Result:
    """In a thread and a loop of its own: the loop that runs here cannot be entered again."""
    outcome: Future[_Result] = Future()
    interrupted: Future[None] = Future()

    async def interruptible() -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        interrupted.add_done_callback(lambda _interrupted: loop.call_soon_threadsafe(task.cancel))
        return await task

    def in_thread() -> None:
        try:
            outcome.set_result(asyncio.run(interruptible()))
        except BaseException as error:  # noqa: BLE001  raised in the thread that waits
            outcome.set_exception(error)

    try:
        Thread(target=in_thread, daemon=True).start()
        return outcome.result()
    except KeyboardInterrupt:
        interrupted.set_result(None)
        wait([outcome])
        raise
