"""`python -m tests.benchmarks.daemons`: ten processes over RabbitMQ and anvil against the one-process demo.

What of a round is not cryptography is counted in processor seconds of the daemons: those of the transitions
that compute with big integers, as the daemons' own metrics tell, against everything that they used.
"""

import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from services.data.samples import deal, diabetes
from services.observability.logging import configure
from services.sandbox.demo import DemoOptions, run_demo
from tests.benchmarks.machine import MachineReport, describe
from tests.support.broker.rabbitmq import running_server
from tests.support.daemons.daemon_market import DaemonMarket, write_request

CRYPTOGRAPHY = ("training", "refresh", "metric", "opening")


class DaemonReport(BaseModel):
    """Seconds; processor seconds are sums over all daemons, broker and node not counted."""

    machine: MachineReport
    key_bits: int
    rounds: int
    daemons_seconds_per_round: float
    demo_seconds_per_round: float
    cryptography_processor_seconds: float
    all_processor_seconds: float

    @property
    def other_share(self) -> float:
        """The part of a round's processor time that is not cryptography."""
        return 1 - self.cryptography_processor_seconds / self.all_processor_seconds


class CheckedMarket(DaemonMarket):
    """As operators run it, and as the demo does."""


async def measure(*, key_bits: int, rounds: int) -> DaemonReport:
    """One training by daemons; the demo's figures are filled in by `main`."""
    columns, rows = diabetes()
    described = describe()
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        async with CheckedMarket(Path(folder), server, columns, deal(rows, 5, 39)) as market:
            await market.introduced()
            request = write_request(market, rounds=rounds, key_bits=key_bits)
            market.command("train", str(request), "--config", str(market.config("buyer")))
            await market.until(lambda: _rounds_done(market) >= 1, 600)
            first, before = time.monotonic(), await _figures(market)
            processors = _processor_seconds(market)
            await market.until(lambda: _rounds_done(market) >= rounds, 3600)
            wall, after = time.monotonic() - first, await _figures(market)
            processors = _processor_seconds(market) - processors
    return DaemonReport(
        machine=described,
        key_bits=key_bits,
        rounds=rounds,
        daemons_seconds_per_round=wall / (rounds - 1),
        demo_seconds_per_round=0.0,
        cryptography_processor_seconds=after - before,
        all_processor_seconds=processors,
    )


def _rounds_done(market: DaemonMarket) -> int:
    store = market.store("buyer")
    try:
        return sum(name == "round_recorded" for row in store.instances() for name, *_ in store.facts(row.key))
    finally:
        store.close()


async def _figures(market: DaemonMarket) -> float:
    """Processor seconds of the transitions that compute on ciphertexts, over all daemons."""
    total = 0.0
    for name in market.addresses:
        text = await market.scrape(name)
        for phase in CRYPTOGRAPHY:
            found = re.search(rf'^deltaml_phase_seconds_total{{phase="{phase}"}} (\S+)$', text, re.MULTILINE)
            assert found is not None, f"{name} tells no seconds of {phase}"
            total += float(found.group(1))
    return total


def _processor_seconds(market: DaemonMarket) -> float:
    """Of the daemons and their worker processes, the listener included."""
    parents = {}
    ticks = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
    roots = {daemon.process.pid for daemon in market.daemons.values() if daemon.process is not None}

    def belongs(pid: int) -> bool:
        while pid in parents:
            if pid in roots:
                return True
            pid = parents[pid]
        return False

    return sum(spent for pid, spent in ticks.items() if belongs(pid)) / 100


def main(
    key_bits: Annotated[int, typer.Option(min=2048)] = 3072,
    rounds: Annotated[int, typer.Option(min=2)] = 10,
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
) -> None:
    """Time a training by ten processes, and the same in the one-process demo."""
    configure(level="ERROR")
    console = Console()
    report = asyncio.run(measure(key_bits=key_bits, rounds=rounds))
    moments: list[float] = []
    options = DemoOptions(thesis=True, rounds=rounds, key_bits=key_bits)
    run_demo(
        options,
        lambda _text, event: (
            moments.append(time.monotonic())
            if event is not None and event.event.event == "RoundRecorded"
            else None
        ),
    )
    report = report.model_copy(
        update={"demo_seconds_per_round": (moments[-1] - moments[0]) / (len(moments) - 1)}
    )
    show(console, report)
    if json is not None:
        json.write_text(report.model_dump_json(indent=2))


def show(console: Console, report: DaemonReport) -> None:
    """A table for people."""
    table = Table(title=f"{report.rounds} rounds at {report.key_bits} bits, {report.machine.cores} cores")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("seconds a round, ten processes", f"{report.daemons_seconds_per_round:.2f}")
    table.add_row("seconds a round, the demo", f"{report.demo_seconds_per_round:.2f}")
    ratio = report.daemons_seconds_per_round / report.demo_seconds_per_round
    table.add_row("ratio", f"{ratio:.2f}")
    table.add_row("processor seconds, cryptography", f"{report.cryptography_processor_seconds:.1f}")
    table.add_row("processor seconds, all", f"{report.all_processor_seconds:.1f}")
    table.add_row("not cryptography", f"{report.other_share:.1%}")
    table.add_row("load before", f"{report.machine.load_before:.2f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
