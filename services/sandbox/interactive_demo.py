"""The demo for people who look around: the market stays up until it is interrupted."""

import asyncio
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from protocol.request import Request
from services.console.web.hub import Hub
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoData, DemoOptions, demo_request
from services.observability.prometheus import DaemonCollector, serving
from services.sandbox.demo import LEAST_DEMO_KEY_BITS, Progress, prepared_data
from services.sandbox.local_market import LocalMarket
from services.sandbox.start_page import consoles

Opened = Callable[[str], None]
"""Told the start page's address, secret included."""


def run_attended_demo(
    options: DemoOptions,
    port: int,
    progress: Progress,
    opened: Opened,
    *,
    least_key_bits: int = LEAST_DEMO_KEY_BITS,
) -> None:
    """Run the market with everybody's console until interrupted; the first visitor starts the first training.

    Raises as run_demo does, and ConfigurationError for a port that is taken.
    """
    import uvloop  # noqa: PLC0415  not for --help

    data = prepared_data(options, progress, least_key_bits)
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deltaml-")))
        uvloop.run(attended(options, data, folder, port, progress, opened, least_key_bits))


async def attended(
    options: DemoOptions,
    data: DemoData,
    folder: Path,
    port: int,
    progress: Progress,
    opened: Opened,
    least_key_bits: int,
) -> None:
    """The market until it is cancelled; accounts and what a party uploads are kept in `folder`."""
    hubs: defaultdict[str, Hub] = defaultdict(Hub)
    progress("starting chain, contract, daemons and worker processes", None)
    market = LocalMarket(
        data_sets_of(data),
        options,
        least_key_bits=least_key_bits,
        on_event=lambda event: progress("", event),
        on_change=lambda address: hubs[address].wake(),
    )
    metrics = serving(options.metrics_port, DaemonCollector(market.observed, market.meter))
    async with metrics, market:
        request = demo_request(options, data, market.aggregator.identity.address, market.token)
        numbers = itertools.count(1)

        async def order() -> str:
            return await market.order(_numbered(request, next(numbers)))

        async with consoles(market, hubs, folder, port, order) as (page, address):
            opened(address)
            first = asyncio.create_task(_first(page.visited, order))
            try:
                await market.wait_for(lambda: False)
            finally:
                first.cancel()


async def _first(visited: asyncio.Event, order: Callable[[], Awaitable[str]]) -> None:
    await visited.wait()
    await order()


def _numbered(request: Request, number: int) -> Request:
    """The request under another name: each training needs a request hash of its own."""
    return Request.model_validate({**dict(request), "name": f"{request.name}, training {number}"})
