"""What a daemon forgets of trainings that ended long ago, so that months of running do not fill the disk."""

import asyncio
import time
from collections.abc import Callable

import structlog

from services.store.store import Store
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

RETENTION_SECONDS = 90 * 86400.0
"""Longer than anybody may ask for the model of a training."""
_AT_ONCE = 20


async def archive_ended(
    store: Store,
    retention_seconds: float,
    *,
    look_seconds: float = 3600.0,
    clock: Callable[[], float] = time.time,
) -> None:
    """Archive what ended longer ago than `retention_seconds`, a few at a time, until cancelled."""
    while True:
        closed = await retry_while_unavailable(store.archive, clock() - retention_seconds, _AT_ONCE)
        if closed:
            _log.info("trainings_archived", count=closed)
        await asyncio.sleep(0 if closed == _AT_ONCE else look_seconds)
