"""Steps of roles in worker processes: they are pure, so one that died with its process is run again."""

import asyncio
import os
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from cachetools import LRUCache
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from protocol.roles.dispatch import EncodedStep, run_step
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Input
from services.common.worker_process import WorkerNotStartedError, WorkerProcess
from services.native.loading import use_arithmetic
from services.runtime.turns import Turns

_TRIES_ALONE = 2
_MOST_PARTIES = 1024

_RANKS, _LAST = {"federated_aggregator": 0, "model_buyer": 0}, 1
"""Where parties of several roles share a pool, as in a demo, owners come last: all of them wait for the one
aggregator and the one buyer, while a step of an owner mostly keeps one other party waiting."""


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


@dataclass(eq=False, slots=True)
class _Place:
    """A worker of the pool, or the one that took the place of one that ended."""

    worker: WorkerProcess
    busy: bool = False


class StepPool:
    """Worker processes that are started anew when they are killed; zero workers run steps in this process.

    A party's step goes to the worker that took its last one, if that is free: it has the party's state as it
    made it, and the tables over its bases, which any other would have to make again.
    """

    def __init__(self, workers: int | None = None) -> None:
        """`workers` defaults to the number of cores."""
        self._count = (os.cpu_count() or 1) if workers is None else workers
        self._places: list[_Place] = []
        self._turns = Turns(max(1, self._count))
        self._last: LRUCache[str, _Place] = LRUCache(_MOST_PARTIES)
        self._alone = asyncio.Lock()

    @property
    def processes(self) -> tuple[int, ...]:
        """The worker processes, once they have started."""
        return tuple(place.worker.pid for place in self._places)

    def start(self) -> None:
        """Start the workers ahead of the first step."""
        while len(self._places) < self._count:
            self._places.append(_Place(WorkerProcess()))

    async def run(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """One step; raises what it raises, and BrokenProcessPool for one that ends its worker each time.

        Raises WorkerNotStartedError where the machine has no room for the worker: try the step again.
        """
        if not self._count:
            return timed_step(role, state, item, context)
        self.start()
        async with self._turns.turn(_RANKS.get(role, _LAST)):
            place = self._take(context.address)
            worker = place.worker
            try:
                return await _run_in(worker, role, state, item, context)
            except BrokenProcessPool:
                await self._replace(place, worker)
            except WorkerNotStartedError:
                await self._replace(place, worker)
                raise
            finally:
                place.busy = False
        return await self._run_alone(role, state, item, context)

    async def _replace(self, place: _Place, worker: WorkerProcess) -> None:
        """Another worker for one that has ended or never began, unless that is done or all end."""
        if place.worker is worker and place in self._places:
            place.worker = WorkerProcess()
            await worker.close()

    def _take(self, party: str) -> _Place:
        """A worker that is free, of which there is one: the party's last one where that is."""
        last = self._last.get(party)
        if last is None or last.busy or last not in self._places:
            last = next(one for one in self._places if not one.busy)
        last.busy = True
        self._last[party] = last
        return last

    async def _run_alone(self, role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        """A step in a worker of its own: one that ends each process that takes it up ends no other's step."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BrokenProcessPool),
            stop=stop_after_attempt(_TRIES_ALONE),
            reraise=True,
        )
        async with self._alone:
            async for attempt in retrying:
                with attempt:
                    worker = WorkerProcess()
                    try:
                        return await _run_in(worker, role, state, item, context)
                    finally:
                        await worker.close()
        raise AssertionError("the last attempt raises")

    async def close(self) -> None:
        """End the workers, whatever they are at."""
        places, self._places = self._places, []
        for place in places:
            await place.worker.close()


async def _run_in(
    worker: WorkerProcess, role: str, state: bytes | None, item: Input, context: Context
) -> TimedStep:
    taken: TimedStep = await worker.run(timed_step, role, state, item, context)
    return taken
