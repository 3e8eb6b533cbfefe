"""An owner introduces itself and its cards to its aggregators, again and again until each has admitted it."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from tenacity import AsyncRetrying, retry_if_result, wait_exponential

from protocol.messages import Message
from services.common.errors import DataSetError
from services.common.outages import Outage
from services.common.tasks import wait_for_event
from services.participants.data_owner import OwnerRole
from services.runtime.runtime import Runtime
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)


async def announce(
    runtime: Runtime,
    role: OwnerRole,
    changed: asyncio.Event | None = None,
    *,
    first_pause: float = 5.0,
    longest_pause: float = 300.0,
) -> None:
    """Announce the owner and its cards wherever they are not admitted yet, and whenever they have `changed`.

    Who is not on a list may be put there: a refusal is asked about again, at ever longer intervals, and when
    something has changed. Without that event it ends when all have admitted.
    """
    outage, failing = Outage(_log, "announcement_waits", "announced"), set[str]()

    async def pause(seconds: float) -> None:
        role.asks_again_at = time.time() + seconds
        if changed is None:
            await asyncio.sleep(seconds)
        elif await wait_for_event(changed, seconds):
            changed.clear()
        role.asks_again_at = None

    async def announce_once() -> bool:
        """Whether an aggregator has not admitted the owner with its cards yet."""
        try:
            missing = await retry_while_unavailable(role.announcements)
        except DataSetError as error:  # the computer has no room to read files: later
            outage.failed(error)
            return True
        outage.works()
        for left in failing.difference(aggregator for aggregator, _ in missing):
            outage.works(left)
        failing.clear()
        failing.update(await _send(runtime, missing, outage))
        return bool(missing)

    waiting = wait_exponential(multiplier=first_pause, max=longest_pause)
    while True:
        await AsyncRetrying(retry=retry_if_result(bool), wait=waiting, sleep=pause)(announce_once)
        if changed is None:
            return
        await changed.wait()
        changed.clear()


async def _send(runtime: Runtime, missing: Sequence[tuple[str, Message]], outage: Outage) -> list[str]:
    """Tell each that is missing; returns those to whom nothing could be sent."""
    failing = []
    for aggregator, body in missing:
        try:
            await runtime.send(aggregator, body)
        except Exception as error:  # noqa: BLE001  not registered yet, or the node is away: later
            outage.failed(error, part=aggregator, reason=f"{aggregator}: {type(error).__name__}")
            failing.append(aggregator)
        else:
            outage.works(aggregator)
    return failing
