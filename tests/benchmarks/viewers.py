"""`python -m tests.benchmarks.viewers`: what 200 open pages of a live training cost its rounds.

The same training again and again in a market of one process, alternately without and with viewers of the
buyer's page; the viewers read their streams in a process of their own.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Table

from protocol.marketplace import RoundRecorded
from protocol.messages import ChainEvent
from services.config.console import ConsoleSettings
from services.console.app import Console, serving
from services.console.auth.accounts import Accounts
from services.console.party import Party
from services.console.web.hub import Hub, Share
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, demo_request, load_data
from services.identity.operator_orders import orders_over
from services.observability.logging import configure
from services.sandbox.local_market import LocalMarket

ACCOUNT, PASSWORD = "viewer", "a long enough password"


async def round_seconds(options: DemoOptions, viewers: int) -> float:
    """Mean seconds of a round, the first left out, while so many pages are open."""
    recorded: list[float] = []
    hub = Hub(share=Share(account=viewers + 1, address=viewers + 1))

    def on_event(event: ChainEvent) -> None:
        if isinstance(event.event, RoundRecorded):
            recorded.append(time.monotonic())

    data = load_data(options)
    market = LocalMarket(
        data_sets_of(data), options, on_event=on_event, on_change=lambda _address: hub.wake()
    )
    with tempfile.TemporaryDirectory() as folder:
        async with market:
            console = _console(market, Path(folder), hub)
            async with serving(console) as port:
                key = await market.order(demo_request(options, data, market.aggregator.identity.address))
                await market.wait_for(lambda: market.buyer.store.instance(key) is not None)
                watching = await _watch(console, port, key, viewers)
                await market.wait_for(lambda: len(recorded) >= options.rounds)
                if watching is not None:
                    watching.terminate()
                    await watching.wait()
    return (recorded[-1] - recorded[0]) / (options.rounds - 1)


def _console(market: LocalMarket, folder: Path, hub: Hub) -> Console:
    users = folder / "users.json"
    Accounts(users).add(ACCOUNT, PASSWORD, "viewer")
    buyer = market.buyer
    party = Party(
        "model_buyer",
        buyer.identity.address,
        market.deployment.market,
        buyer.store,
        orders_over(buyer.bus, buyer.identity, market.deployment.market, "model_buyer"),
        lambda token: buyer.client.balance_of(buyer.identity.address, token),
    )
    return Console(party, ConsoleSettings(port=0, users_file=users), hub)


async def _watch(console: Console, port: int, key: str, viewers: int) -> asyncio.subprocess.Process | None:
    """Open the pages; returns when all of them look."""
    if not viewers:
        return None
    cookie = f"{console.cookie}={console.sessions.start(ACCOUNT)}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.viewers_reading", str(port), key, cookie, str(viewers)
    )
    while console.hub.viewers < viewers:
        await asyncio.sleep(0.05)
    return process


def main(
    pairs: Annotated[int, typer.Option(min=1)] = 5,
    viewers: Annotated[int, typer.Option(min=1)] = 200,
    rounds: Annotated[int, typer.Option(min=2)] = 10,
    key_bits: Annotated[int, typer.Option(min=1024)] = 3072,
) -> None:
    """Measure and print."""
    configure(style="console", level="ERROR")
    options = DemoOptions(rounds=rounds, tolerance=Decimal(0), key_bits=key_bits)
    table = Table("pair", "alone (s)", f"{viewers} viewers (s)", "more")
    growths = []
    for pair in range(1, pairs + 1):
        alone = asyncio.run(round_seconds(options, 0))
        watched = asyncio.run(round_seconds(options, viewers))
        growths.append(watched / alone - 1)
        table.add_row(str(pair), f"{alone:.3f}", f"{watched:.3f}", f"{growths[-1]:+.1%}")
    terminal = Terminal()
    terminal.print(table)
    terminal.print(f"median: {statistics.median(growths):+.1%}")


if __name__ == "__main__":
    typer.run(main)
