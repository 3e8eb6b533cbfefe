"""`python -m tests.soak`: 200 trainings at once, then a simulated day, by real processes; see `--help`."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.observability.logging import configure
from tests.soak.report import STEADY, show
from tests.soak.run import Plan, soak
from tests.support.broker.rabbitmq import running_server


def main(
    trainings: Annotated[int, typer.Option(min=0, help="Ordered at once; 0 leaves this part out.")] = 200,
    hours: Annotated[float, typer.Option(min=0, help="Simulated hours; 0 leaves this part out.")] = 24,
    per_hour: Annotated[float, typer.Option(min=0.1, help="Trainings ordered in a simulated hour.")] = 8,
    seconds_per_hour: Annotated[float, typer.Option(min=1, help="Real seconds of a simulated hour.")] = 30,
    owners: Annotated[int, typer.Option(min=6)] = 20,
    buyers: Annotated[int, typer.Option(min=1, help="A buyer opens one training after another.")] = 4,
    seed: Annotated[int, typer.Option(help="Draws the trainings and the day's schedule.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
) -> None:
    """Soak a market: many trainings at once, then a day in which they come and go and daemons are disturbed.

    Ends with status 1 when a training is stuck, a queue is not empty, a wei is missing, or memory grows.
    """
    configure(level="ERROR")
    plan = Plan(trainings, hours, per_hour, seconds_per_hour, owners, buyers, seed)
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        report = asyncio.run(soak(plan, Path(folder), server))
    show(Console(), report)
    if json is not None:
        json.write_text(report.model_dump_json(indent=2))
    grown = {kind: held.spread for kind, held in report.memory.items() if hours and held.spread > STEADY}
    if grown:
        typer.echo(f"resident memory is not steady over the last third: {grown}", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
