"""Has a running aggregator admit by the list that its configuration file holds now."""

import asyncio
from pathlib import Path

import structlog

from services.common.errors import ConfigurationError
from services.config.daemons import load
from services.participants.federated_aggregator import AggregatorRole

_log = structlog.get_logger(__name__)


async def watch_admitted(file: Path, role: AggregatorRole, *, seconds: float = 2.0) -> None:
    """Read the list whenever the file has changed, and at the start, until cancelled.

    Of a file that cannot be used nothing is taken.
    """
    known = None
    while True:
        stamp = _stamp(file)
        if stamp != known:
            known = stamp
            await _read_again(file, role)
        await asyncio.sleep(seconds)


async def _read_again(file: Path, role: AggregatorRole) -> None:
    try:
        config = await asyncio.to_thread(load, file, "aggregator")
    except ConfigurationError as error:
        _log.error("admission_list_unreadable", file=str(file), reason=str(error))
        return
    before, role.admitted = role.admitted, frozenset(config.admitted)
    added, removed = sorted(role.admitted - before), sorted(before - role.admitted)
    if added or removed:
        _log.info("admission_list_changed", added=added, removed=removed)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes with the file; None while it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
