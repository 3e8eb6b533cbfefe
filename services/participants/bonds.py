"""A party's bonds come back: once the contract lets it, the daemon releases each and has it paid out.

A role notes the bond when it deposits it (`private.BOND`), and the note stays in the store until the contract
holds nothing of it any more, at confirmed depth: a reorganisation may take an end, or a release, back. What
there is to do follows from the contract alone: so it is the same after a restart, and whatever became of the
training here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import DeltaMLError
from protocol.marketplace import ReleaseBond, Withdraw
from protocol.roles.engine.private import BOND
from services.common.outages import Outage
from services.runtime.runtime import Runtime
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

Pause = Callable[[float], Awaitable[None]]

LOOK_SECONDS = 60.0
"""Between two looks at the bonds."""

GONE_SECONDS = 86_400.0
"""For how long the chain must not know a training before its bond is forgotten.

What a reorganisation took away is mined again, if ever, within the hours for which nodes keep transactions.
"""


async def release_bonds(
    runtime: Runtime, clock: Callable[[], float] = time.time, *, pause: Pause = asyncio.sleep
) -> None:
    """Release every bond in its time, until cancelled; what fails is tried again with the next look."""
    outage = Outage(_log, "bond_waits", "bonds_go_on")
    gone_since: dict[int, float] = {}
    while True:
        for number, token in (await retry_while_unavailable(runtime.store.values, BOND.prefix)).items():
            try:
                is_over = await _is_forgotten(runtime, int(number), clock(), gone_since)
                is_over = is_over or await _is_over(runtime, int(number), token.decode(), clock())
            except Exception as error:  # noqa: BLE001  a bug of ours must not end the daemon, again and again
                known = isinstance(error, DeltaMLError)  # another's text may hold secrets
                outage.failed(error, part=number, reason=None if known else type(error).__name__)
                continue
            outage.works(number)
            if is_over:
                await retry_while_unavailable(runtime.store.put_value, BOND.name_of(int(number)), None)
        await pause(LOOK_SECONDS)


async def _is_forgotten(runtime: Runtime, training: int, now: float, gone_since: dict[int, float]) -> bool:
    """Whether a reorganisation took the training away, and the bond, and neither has come back since.

    `gone_since` tells from when on no look has shown it. A node that is behind says nothing of it.
    """
    client = runtime.resources.client
    is_behind = await client.block_number() < client.known_block()
    if is_behind or await client.final.status(training) != "none":
        gone_since.pop(training, None)
        return False
    return now - gone_since.setdefault(training, now) >= GONE_SECONDS


async def _is_over(runtime: Runtime, training: int, token: str, now: float) -> bool:
    """Whether the contract has nothing of the bond any more, after what can be done about it now."""
    client = runtime.resources.client
    until = await client.final.bond_until(training, runtime.address)
    if not until:
        return False
    if await client.final.bond_of(training, runtime.address):
        if now < until:
            return False
        await client.submit(ReleaseBond(training=training))
        _log.info("bond_released", training=training)
    if runtime.role.withdraws():
        await client.submit(Withdraw(token=token))
    return True
