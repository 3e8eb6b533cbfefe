"""Has a running daemon work with whom its file names now: an aggregator's owners, an owner's aggregators."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import structlog

from services.common.errors import ConfigurationError
from services.config.daemons import AggregatorConfig, DataOwnerConfig, load
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole

_log = structlog.get_logger(__name__)

C = TypeVar("C", AggregatorConfig, DataOwnerConfig)


async def watch_admitted(file: Path, role: AggregatorRole, *, seconds: float = 2.0) -> None:
    """Read an aggregator's list whenever the file has changed, and at the start, until cancelled.

    Of a file that cannot be used nothing is taken.
    """

    def take(config: AggregatorConfig) -> None:
        before, role.admitted = role.admitted, frozenset(config.admitted)
        _tell("admission_list_changed", before, role.admitted)

    await _watch(file, lambda: load(file, "aggregator"), take, "admission_list_unreadable", seconds)


async def watch_aggregators(
    file: Path, role: OwnerRole, changed: Callable[[], object], *, seconds: float = 2.0
) -> None:
    """Likewise the aggregators that an owner works with; `changed` is called when they are others.

    Trainings under way go on with the aggregator that they have.
    """

    def take(config: DataOwnerConfig) -> None:
        before, role.aggregators = role.aggregators, config.aggregators
        if _tell("aggregators_changed", before, role.aggregators):
            changed()

    await _watch(file, lambda: load(file, "data-owner"), take, "aggregators_unreadable", seconds)


async def _watch(
    file: Path, read: Callable[[], C], take: Callable[[C], None], unreadable: str, seconds: float
) -> None:
    known = None
    while True:
        stamp = _stamp(file)
        if stamp != known:
            known = stamp
            try:
                take(await asyncio.to_thread(read))
            except ConfigurationError as error:
                _log.error(unreadable, file=str(file), reason=str(error))
        await asyncio.sleep(seconds)


def _tell(event: str, before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether the list is another one now; who came and went is logged."""
    added, removed = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    if added or removed:
        _log.info(event, added=added, removed=removed)
    return bool(added or removed)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes with the file; None while it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
