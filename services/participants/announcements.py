"""An owner introduces itself to its aggregators, again and again until each has admitted it."""

import structlog
from tenacity import AsyncRetrying, retry_if_result, wait_exponential

from services.participants.data_owner import OwnerRole
from services.runtime.runtime import Runtime
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)


async def announce(
    runtime: Runtime, role: OwnerRole, *, first_pause: float = 5.0, longest_pause: float = 300.0
) -> None:
    """Announce the owner wherever it is not admitted yet, at ever longer intervals; ends when all have.

    Who is not on a list may be put there: a refusal is asked about again.
    """

    async def announce_once() -> bool:
        """Whether an aggregator has not admitted the owner yet."""
        missing = await retry_while_unavailable(role.announcements)
        for aggregator, body in missing:
            try:
                await runtime.send(aggregator, body)
            except Exception as error:  # noqa: BLE001  not registered yet, or the node is away: later
                _log.warning("announcement_waits", aggregator=aggregator, reason=type(error).__name__)
        return bool(missing)

    waiting = wait_exponential(multiplier=first_pause, max=longest_pause)
    await AsyncRetrying(retry=retry_if_result(bool), wait=waiting)(announce_once)
