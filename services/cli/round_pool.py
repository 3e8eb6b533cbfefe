"""Rounds of a transcript checked side by side, in as many processes as there are cores."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from protocol.verification.expected import Checked, Rounds, one_after_another

_checks: list[Callable[[int], Checked]] = []
"""What a worker, which is a fork of this process, checks: too large to be sent to each."""


def side_by_side(workers: int | None = None) -> Rounds:
    """Rounds in so many processes, told in their order; None for one of each core.

    A worker that is killed, for want of memory, ends the verification with BrokenProcessPool: it never counts
    as a round that holds.
    """
    count = workers or len(os.sched_getaffinity(0))

    def checked(check: Callable[[int], Checked], rounds: int) -> Iterator[Checked]:
        if count < 2 or rounds < 2:
            return one_after_another(check, rounds)
        return _in_workers(check, rounds, count)

    return checked


def _in_workers(check: Callable[[int], Checked], rounds: int, workers: int) -> Iterator[Checked]:
    _checks.append(check)
    forks = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(workers, rounds), mp_context=forks)
    try:
        yield from pool.map(_check, range(1, rounds + 1))
    finally:
        pool.shutdown(cancel_futures=True)
        _checks.clear()


def _check(number: int) -> Checked:
    return _checks[-1](number)
