"""`deltaml demo`: options, progress as it goes, and the closing tables."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import typer

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from services.cli.options import Json, RowsFile, Seed, Target
from services.data.sample_request import DemoOptions
from services.observability.logging import configure

_Rounds = Annotated[int, typer.Option(help="Averages of local models.", min=1, max=10_000)]
_LocalSteps = Annotated[int, typer.Option(help="Gradient steps in each round.", min=1)]
_Owners = Annotated[int, typer.Option(help="Data owners; the contract draws who trains.")]
_StepSize = Annotated[str, typer.Option(help="η of gradient descent.")]
_Start = Annotated[str, typer.Option(help="First model: zero, or mean (of the target).")]
_KeyBits = Annotated[int, typer.Option(help="Bits of the Paillier key.")]
_Deposit = Annotated[str, typer.Option(help=f"The buyer's deposit in {MARKET_ASSET.smallest}.")]
_Broker = Annotated[str | None, typer.Option(help="AMQP URL instead of the embedded bus.")]
_Chain = Annotated[str | None, typer.Option(help="JSON-RPC URL of anvil, not the embedded chain.")]
_ModelOut = Annotated[Path | None, typer.Option(help="Write the bought model here.")]
_Report = Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")]
_Store = Annotated[Path | None, typer.Option(help="Keep every party's database in this folder.")]
_Workers = Annotated[int | None, typer.Option(help="Worker processes; default: one a core.", min=0)]
_MetricsPort = Annotated[
    int | None, typer.Option(help="Serve Prometheus metrics on this loopback port.", min=1, max=65535)
]
_Attended = Annotated[
    bool, typer.Option("--console", help="Stay up, with every party's web console and a start page.")
]
_ConsolePort = Annotated[
    int,
    typer.Option(help="Port of the start page; the consoles take the ports after it.", min=0, max=65000),
]
_Log = Annotated[str, typer.Option(help="Level of the log on standard error.")]


def demo(
    rounds: _Rounds = 20,
    local_steps: _LocalSteps = 5,
    owners: _Owners = 5,
    step_size: _StepSize = "1.5",
    start: _Start = "zero",
    key_bits: _KeyBits = 3072,
    deposit: _Deposit = str(MARKET_ASSET.whole),
    broker: _Broker = None,
    chain: _Chain = None,
    data: RowsFile = None,
    target: Target = None,
    seed: Seed = 39,
    model_out: _ModelOut = None,
    report: _Report = None,
    store: _Store = None,
    workers: _Workers = None,
    metrics_port: _MetricsPort = None,
    console: _Attended = False,
    console_port: _ConsolePort = 8700,
    log: _Log = "error",
    json: Json = False,
) -> None:
    """Run a whole market here: buyer, aggregator, owners, bus, chain; train, pay, show the figures."""
    configure(level=log.upper())
    options = DemoOptions(
        rounds=rounds,
        local_steps=local_steps,
        owners=owners,
        step_size=_decimal("--step-size", step_size),
        start=_start(start),
        key_bits=key_bits,
        deposit=_deposit(deposit),
        broker=broker,
        chain=chain,
        data=data,
        target=target,
        seed=seed,
        model_out=model_out,
        report=report,
        folder=store,
        workers=workers,
        metrics_port=metrics_port,
    )
    from services.cli import demo_session  # noqa: PLC0415  a whole market: seconds that --help need not take

    if console:
        demo_session.attend(options, console_port, json=json)
    else:
        demo_session.run(options, json=json)


def _decimal(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MisuseError(f"{option} {text!r} is not a number; write it like 1.5") from None


def _deposit(text: str) -> int:
    try:
        return MARKET_ASSET.parse_exact(text)
    except MisuseError as error:
        raise MisuseError(f"--deposit {error}") from None


def _start(text: str) -> Literal["zero", "mean"]:
    if text == "zero":
        return "zero"
    if text == "mean":
        return "mean"
    raise MisuseError(f"--start {text!r} is unknown; choose zero or mean")
