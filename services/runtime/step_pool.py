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

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from protocol.roles.dispatch import EncodedStep, run_step
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Input

_TRIES_ALONE = 2


@dataclass(frozen=True, slots=True)
class TimedStep:
    """A step and the seconds of a core that it took."""

    step: EncodedStep
    seconds: float


def timed_step(role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
    """Run a step and take its time; what worker processes run."""
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


def _executor(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["protocol.roles.dispatch"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_die_with_daemon)


async def _run_in(
    executor: ProcessPoolExecutor, role: str, state: bytes | None, item: Input, context: Context
) -> TimedStep:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, timed_step, role, state, item, context)


class StepPool:
    """A process pool that is rebuilt when a worker is killed; zero workers run steps in this process."""

    def __init__(self, workers: int | None = None) -> None:
        """`workers` defaults to the number of cores."""
        self._workers = (os.cpu_count() or 1) if workers is None else workers
        self._executor: ProcessPoolExecutor | None = None
        self._alone = asyncio.Lock()

    def start(self) -> None:
        """Start the workers ahead of the first step."""
        if self._workers and self._executor is None:
            self._executor = _executor(self._workers)
            for _ in range(self._workers):
                self._executor.submit(os.getpid)

    async def run(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """One step; raises what it raises, and BrokenProcessPool for one that ends its worker each time."""
        if not self._workers:
            return timed_step(role, state, item, context)
        self.start()
        executor = self._executor
        assert executor is not None
        try:
            return await _run_in(executor, role, state, item, context)
        except BrokenProcessPool:
            if self._executor is executor:
                self._executor = None
                self.start()
        return await self._run_alone(role, state, item, context)

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
                    executor = _executor(1)
                    try:
                        return await _run_in(executor, role, state, item, context)
                    finally:
                        executor.shutdown(wait=False, cancel_futures=True)
        raise AssertionError("the last attempt raises")

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
