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

_TRIES = 3


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


class StepPool:
    """A process pool that is rebuilt when a worker is killed; zero workers run steps in this process."""

    def __init__(self, workers: int | None = None) -> None:
        """`workers` defaults to the number of cores."""
        self._workers = (os.cpu_count() or 1) if workers is None else workers
        self._executor: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Start the workers ahead of the first step."""
        if self._workers and self._executor is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["protocol.roles.dispatch"])
            self._executor = ProcessPoolExecutor(
                self._workers, mp_context=context, initializer=_die_with_daemon
            )
            for _ in range(self._workers):
                self._executor.submit(os.getpid)

    async def run(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """One step; raises what the step raises."""
        if not self._workers:
            return timed_step(role, state, item, context)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BrokenProcessPool), stop=stop_after_attempt(_TRIES), reraise=True
        )
        return await retrying(self._run_in_worker, role, state, item, context)

    async def _run_in_worker(
        self, role: str, state: bytes | None, item: Input, context: Context
    ) -> TimedStep:
        self.start()
        executor = self._executor
        assert executor is not None
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(executor, timed_step, role, state, item, context)
        except BrokenProcessPool:
            if self._executor is executor:
                self._executor = None
            raise

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
