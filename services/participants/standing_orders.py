"""A buyer's standing orders: the same request again and again, on a schedule.

Time is divided into periods since 1970; each order is given once in a period. Its message id follows from the
order and the period, so a daemon that restarts, or a clock that steps back, has no model trained twice.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from eth_hash.auto import keccak

from protocol.errors import DeltaMLError, MisuseError
from protocol.messages import TrainingOrder
from protocol.request import LONGEST_NAME, Request
from protocol.roles.buyer.ordering import check_order
from services.common.documents import load_request
from services.common.errors import ConfigurationError
from services.common.outages import Outage
from services.config.daemons import StandingOrder
from services.runtime.runtime import Runtime
from services.store import Store
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

_GIVEN = "standing-order:"


async def keep_ordering(
    runtime: Runtime,
    orders: tuple[StandingOrder, ...],
    store: Store,
    clock: Callable[[], float] = time.time,
    *,
    retry_seconds: float = 60.0,
) -> None:
    """Give every order in each of its periods until cancelled; the first at once.

    One that fails, such as for a file that is missing, is tried again after `retry_seconds`.
    """
    async with asyncio.TaskGroup() as tasks:
        for order in orders:
            tasks.create_task(_keep(runtime, order, store, clock, retry_seconds))


async def _keep(
    runtime: Runtime, order: StandingOrder, store: Store, clock: Callable[[], float], retry_seconds: float
) -> None:
    name = _GIVEN + str(order.request)
    seconds = order.every_hours * 3600
    outage = Outage(_log, "standing_order_failed", "standing_order_goes_on", request=order.request.name)
    while True:
        period = int(clock() // seconds)
        last = (await retry_while_unavailable(store.values, name)).get("")
        if last is None or int(last) < period:
            try:
                await _give(runtime, order, period, seconds)
            except DeltaMLError as error:
                outage.failed(error)
                await asyncio.sleep(min(retry_seconds, seconds))
                continue
            outage.works()
            await retry_while_unavailable(store.put_value, name, str(period).encode())
        await asyncio.sleep(max(0.0, (period + 1) * seconds - clock()))


def check_standing_orders(orders: tuple[StandingOrder, ...]) -> None:
    """Whether each can be given as its file is now, before a daemon starts.

    Raises ConfigurationError naming the order, and what is wrong with value, bound and remedy.
    """
    for number, order in enumerate(orders):
        try:
            _request_of(order, time.time())
        except DeltaMLError as error:
            raise ConfigurationError(f"standing_orders.{number}.request: {error}") from None


def _request_of(order: StandingOrder, moment: float) -> Request:
    request = load_request(order.request)
    try:
        check_order(request)
        return dated(request, moment)
    except MisuseError as error:
        raise MisuseError(f"{order.request}: {error}") from None


async def _give(runtime: Runtime, order: StandingOrder, period: int, seconds: float) -> None:
    request = _request_of(order, period * seconds)
    identity = keccak(b"standing order" + request.hash())[:16]
    await runtime.send(runtime.address, TrainingOrder(request=request), message_id=identity)
    _log.info("standing_order_given", request=request.name)


def dated(request: Request, moment: float) -> Request:
    """The request with the period's beginning in its name: each training needs a request hash of its own.

    Raises MisuseError for a name that is too long for it.
    """
    stamp = datetime.fromtimestamp(moment, UTC).strftime(" %Y-%m-%d %H:%M:%S")
    longest = LONGEST_NAME - len(stamp)
    if len(request.name) > longest:
        raise MisuseError(
            f"name: it has {len(request.name)} characters; that of a standing order, to which the date is "
            f"added, has {longest} at most: shorten it"
        )
    return Request.model_validate({**dict(request), "name": request.name + stamp})
