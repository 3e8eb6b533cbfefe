"""What makes a daemon's process fail where a test wants it to; it runs in that process, beside its code."""

import asyncio
import functools
import inspect
import os
import signal
import time
from contextlib import contextmanager

from services.bus.amqp import amqp_bus as amqp
from services.bus.amqp import connection as link
from services.bus.amqp import reception
from services.bus.amqp.timing import Timing
from services.chain.contract.client import MarketplaceClient
from services.chain.events.event_outbox import EventOutbox
from services.chain.transactions import sender
from services.common.errors import StoreUnavailable
from services.daemon import connections
from services.runtime import receiver as intake
from services.runtime.step_pool import StepPool
from services.store import Store, database
from tests.faults.switchboard import Switchboard
from tests.support.database.full_disk import fill, free

_PLACES = {
    "store_messages": [(Store, "add_messages")],
    "store_event": [(Store, "add_inputs")],
    "ack": [(reception, "acknowledge"), (amqp, "acknowledge")],
    "step": [(StepPool, "run")],
    "commit": [(Store, "_input_done")],
    "write_step": [(Store, "write_step")],
    "publish": [(amqp.AmqpBus, "publish")],
    "effects_done": [(Store, "effects_done")],
    "submit": [(MarketplaceClient, "submit")],
    "broadcast": [(sender.Sender, "_submit")],
    "save_cursor": [(EventOutbox, "save")],
    "publish_event": [(amqp.AmqpBus, "publish_event")],
}

_PATIENCE_SECONDS = 5.0
"""Bounds that are minutes in production: a half-open connection is to be noticed while a test waits."""


def install(board: Switchboard, *, patient: bool) -> None:
    """Every fault that the switchboard can switch on; short patience unless `patient`."""
    if not patient:
        _shorten_waits()
    for point, places in _PLACES.items():
        for owner, name in places:
            setattr(owner, name, _watched(board, point, getattr(owner, name)))
    _shift_clock(board)
    _limit_disk(board)
    _slow_down(board)


def _shorten_waits() -> None:
    timing = Timing(publish_seconds=_PATIENCE_SECONDS, quiet_seconds=_PATIENCE_SECONDS)
    connections.open_bus = functools.partial(connections.open_bus, timing=timing)
    connections.HttpRpc = functools.partial(
        connections.HttpRpc, seconds=_PATIENCE_SECONDS, singly_seconds=_PATIENCE_SECONDS
    )
    link.CONNECT_SECONDS = _PATIENCE_SECONDS
    link.HEARTBEAT_SECONDS = int(_PATIENCE_SECONDS)


def _watched(board, point, original):
    def passed(when):
        if board.passes(f"{when} {point}"):
            board["fired"] = 1
            os.kill(os.getpid(), signal.SIGKILL)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def asynchronous(*args, **kwargs):
            passed("before")
            result = await original(*args, **kwargs)
            passed("after")
            return result

        return asynchronous

    @functools.wraps(original)
    def synchronous(*args, **kwargs):
        passed("before")
        result = original(*args, **kwargs)
        passed("after")
        return result

    return synchronous


def _shift_clock(board):
    """The wall clock; timeouts run on the monotonic one, as they do when an operator sets a clock."""
    true = time.time

    def shifted():
        offset = board["clock"]
        if offset:
            board["clock_read"] += 1
        return true() + offset

    time.time = shifted


def _limit_disk(board):
    """SQLite itself says that the disk is full: its file may not grow, and all its free pages are taken."""
    original = database.Database.writing
    full: set[int] = set()

    @contextmanager
    def writing(self):
        wanted = bool(board["disk"])
        if wanted != (id(self) in full):
            raw = self.engine.raw_connection()
            (fill if wanted else free)(raw.driver_connection)
            full.symmetric_difference_update({id(self)})
        try:
            with original(self) as connection:
                yield connection
        except StoreUnavailable as error:
            board["disk_full"] += "is full" in str(error)
            raise

    database.Database.writing = writing


def _slow_down(board):
    """Between two batches of messages the daemon does nothing for some milliseconds."""
    original = intake.Receiver.take

    async def take(self, deliveries):
        if board["slow"]:
            board["slowed"] += len(deliveries)
            await asyncio.sleep(board["slow"] / 1000)
        await original(self, deliveries)

    intake.Receiver.take = take
