"""Tasks in the background of a market in one process."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unless_ended(watching: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`, unless `watching` raises first: then that is raised, and the work ends."""
    watch, doing = asyncio.create_task(watching), asyncio.create_task(work)
    try:
        await asyncio.wait([watch, doing], return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
        return await doing
    finally:
        watch.cancel()
        doing.cancel()
        await asyncio.gather(watch, doing, return_exceptions=True)


class TaskSet:
    """Tasks that belong together: what one of them dies of reaches whoever checks."""

    def __init__(self, changed: asyncio.Event) -> None:
        """`changed` is set when a task ends."""
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = changed

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the others."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _task: self._changed.set())
        self._tasks.append(task)

    def check(self) -> None:
        """Raise what a task has died of."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Cancel all and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
