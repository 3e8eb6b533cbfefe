"""Steps of roles in worker processes: they are pure, so one that died with its process is run again."""

import asyncio
import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait

from cachetools import LRUCache
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from protocol.roles.dispatch import EncodedStep, run_step
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Input
from services.native.loading import use_arithmetic

_TRIES_ALONE = 2
_MOST_PARTIES = 1024


@dataclass(frozen=True, slots=True)
class TimedStep:
    """A step and the seconds of a core that it took."""

    step: EncodedStep
    seconds: float


def timed_step(role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
    """Run a step and take its time; what worker processes run.

    The first one of a process looks which arithmetic it has.
    """
    use_arithmetic()
    started = time.process_time()
    step = run_step(role, state, item, context)
    return TimedStep(step, time.process_time() - started)


def _die_with_daemon() -> None:
    """In a worker: end when the daemon is gone, even if it was killed and could tell nobody.

    A worker holds both ends of its queue, so it would wait for the next step for ever.
    """
    daemon = multiprocessing.parent_process()
    assert daemon is not None

    def watch() -> None:
        wait([daemon.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _executor() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["protocol.roles.dispatch"])
    return ProcessPoolExecutor(1, mp_context=context, initializer=_die_with_daemon)


def _started() -> ProcessPoolExecutor:
    """An executor whose one worker is on its way."""
    executor = _executor()
    executor.submit(os.getpid)
    return executor


async def _run_in(
    executor: ProcessPoolExecutor, role: str, state: bytes | None, item: Input, context: Context
) -> TimedStep:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, timed_step, role, state, item, context)


@dataclass(eq=False, slots=True)
class _Worker:
    """One worker process, behind an executor of its own: what ends it ends no other's step."""

    executor: ProcessPoolExecutor
    busy: bool = False


class StepPool:
    """Worker processes that are started anew when they are killed; zero workers run steps in this process.

    A party's step goes to the worker that took its last one, if that is free: it has the party's state as it
    made it, and the tables over its bases, which any other would have to make again.
    """

    def __init__(self, workers: int | None = None) -> None:
        """`workers` defaults to the number of cores."""
        self._count = (os.cpu_count() or 1) if workers is None else workers
        self._workers: list[_Worker] = []
        self._free = asyncio.Semaphore(max(1, self._count))
        self._last: LRUCache[str, _Worker] = LRUCache(_MOST_PARTIES)
        self._alone = asyncio.Lock()

    def start(self) -> None:
        """Start the workers ahead of the first step."""
        while len(self._workers) < self._count:
            self._workers.append(_Worker(_started()))

    async def run(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """One step; raises what it raises, and BrokenProcessPool for one that ends its worker each time."""
        if not self._count:
            return timed_step(role, state, item, context)
        self.start()
        async with self._free:
            worker = self._take(context.address)
            executor = worker.executor
            try:
                return await _run_in(executor, role, state, item, context)
            except BrokenProcessPool:
                if worker.executor is executor and worker in self._workers:
                    worker.executor = _started()
            finally:
                worker.busy = False
        return await self._run_alone(role, state, item, context)

    def _take(self, party: str) -> _Worker:
        """A worker that is free, of which there is one: the party's last one where that is."""
        last = self._last.get(party)
        if last is None or last.busy or last not in self._workers:
            last = next(one for one in self._workers if not one.busy)
        last.busy = True
        self._last[party] = last
        return last

    async def _run_alone(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """A step in a worker of its own.

        One that dies takes the steps of the whole pool with it, so only here is known which of them it was.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BrokenProcessPool),
            stop=stop_after_attempt(_TRIES_ALONE),
            reraise=True,
        )
        async with self._alone:
            async for attempt in retrying:
                with attempt:
                    executor = _executor()
                    try:
                        return await _run_in(executor, role, state, item, context)
                    finally:
                        executor.shutdown(wait=False, cancel_futures=True)
        raise AssertionError("the last attempt raises")

    def close(self) -> None:
        """End the workers."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.executor.shutdown(wait=True, cancel_futures=True)
