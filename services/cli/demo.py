"""`deltaml demo`: options, progress as it goes, and the closing table."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.records import FIXED_POINT

if TYPE_CHECKING:
    from protocol.messages import ChainEvent
    from services.data.sample_request import DemoOptions
    from services.sandbox.report import DemoReport


def demo(
    rounds: Annotated[int, typer.Option(help="Averages of local models.", min=1, max=10_000)] = 20,
    local_steps: Annotated[int, typer.Option(help="Gradient steps in each round.", min=1)] = 5,
    owners: Annotated[int, typer.Option(help="Data owners; the contract draws who trains.")] = 5,
    step_size: Annotated[str, typer.Option(help="η of gradient descent.")] = "1.5",
    start: Annotated[str, typer.Option(help="First model: zero, or mean (of the target).")] = "zero",
    key_bits: Annotated[int, typer.Option(help="Bits of the Paillier key.")] = 3072,
    deposit: Annotated[str, typer.Option(help=f"The buyer's deposit in {MARKET_ASSET.smallest}.")] = str(
        MARKET_ASSET.whole
    ),
    broker: Annotated[str | None, typer.Option(help="AMQP URL instead of the embedded bus.")] = None,
    chain: Annotated[str | None, typer.Option(help="JSON-RPC URL of anvil, not the embedded chain.")] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: diabetes.")] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict; default: the last.")] = None,
    seed: Annotated[int, typer.Option(help="Deals the rows to the owners.", min=0)] = 39,
    model_out: Annotated[Path | None, typer.Option(help="Write the bought model here.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
    store: Annotated[Path | None, typer.Option(help="Keep every party's database in this folder.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; default: one a core.", min=0)] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve Prometheus metrics on this loopback port.", min=1, max=65535)
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Stay up, with every party's web console and a start page.")
    ] = False,
    console_port: Annotated[
        int,
        typer.Option(help="Port of the start page; the consoles take the ports after it.", min=0, max=65000),
    ] = 8700,
    log: Annotated[str, typer.Option(help="Level of the log on standard error.")] = "error",
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, nothing else.")] = False,
) -> None:
    """Run a whole market here: buyer, aggregator, owners, bus and chain; train, pay, and show the figures."""
    from services.common.files import write_private  # noqa: PLC0415
    from services.observability.logging import configure  # noqa: PLC0415
    from services.sandbox.demo import DemoOptions, run_demo  # noqa: PLC0415  numpy and the chain are not for --help

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
    screen = Console(quiet=json)
    narrator = Narrator(screen, rounds)
    if console:
        _attend(options, console_port, narrator, json=json)
        return
    outcome = run_demo(options, narrator.tell)
    text = outcome.model_dump_json(indent=2)
    if report is not None:
        write_private(report, text.encode() + b"\n")
    if json:
        typer.echo(text)
    else:
        show_report(screen, outcome)


def _attend(options: "DemoOptions", port: int, narrator: "Narrator", *, json: bool) -> None:
    """Until Ctrl-C. What is written when a training ends belongs to the unattended demo."""
    from services.sandbox.interactive_demo import run_attended_demo  # noqa: PLC0415

    for name, given in (("--report", options.report), ("--model-out", options.model_out), ("--json", json)):
        if given:
            raise MisuseError(f"{name} goes without --console, which shows and downloads the results")
    try:
        run_attended_demo(options, port, narrator.tell, narrator.invite)
    except KeyboardInterrupt:
        narrator.tell("stopped", None)


class Narrator:
    """Prints what happens as it happens."""

    def __init__(self, console: Console, rounds: int) -> None:
        """`rounds` is what was asked for."""
        self._console, self._rounds = console, rounds

    def tell(self, text: str, event: "ChainEvent | None") -> None:
        """One line for a text, or for an event that people care about."""
        line = text if event is None else self._line(event)
        if line:
            self._console.print(line, highlight=False)

    def invite(self, address: str) -> None:
        """Where to look; the first look starts the first training."""
        self._console.print(f"open {address}", highlight=False, soft_wrap=True)
        self._console.print("the first training begins when you do; Ctrl-C stops the market", highlight=False)

    def _line(self, item: "ChainEvent") -> str:
        event = item.event
        line = ""
        match event.event:
            case "Opened":
                deposit = MARKET_ASSET.exact(event.deposit)
                line = f"training {event.training} opened with a deposit of {deposit}"
            case "Joined":
                line = f"owner {event.owner} joined, seat {event.seat}"
            case "RolesDrawn":
                trainers, validators = event.trainers.bit_count(), event.validators.bit_count()
                line = f"roles drawn: {trainers} train, {validators} validate"
            case "RoundRecorded":
                errors = f"{event.record.mse_before / FIXED_POINT:.3f} → {event.mse_after / FIXED_POINT:.3f}"
                line = f"round {event.round:>3} of {self._rounds}: MSE {errors}"
            case "Settled":
                paid, refund = MARKET_ASSET.exact(event.paid), MARKET_ASSET.exact(event.refund)
                line = f"settled: {paid} paid, {refund} back to the buyer"
            case "Cancelled":
                line = f"cancelled: {MARKET_ASSET.exact(event.refund)} back to the buyer"
        return line


def show_report(console: Console, report: "DemoReport") -> None:
    """The closing tables."""
    console.print(_errors_table(report))
    console.print(_pay_table(report))
    console.print(_time_table(report))
    if report.model_file is not None:
        console.print(f"model: {report.model_file}", highlight=False)


def _errors_table(report: "DemoReport") -> Table:
    table = Table(title=f"{report.rounds} rounds × {report.local_steps} steps, {report.key_bits}-bit key")
    table.add_column("mean squared error on the validators' rows")
    table.add_column("MSE", justify="right")
    for name, value in (
        ("before", report.mse_initial),
        ("after, as published", report.mse_final),
        ("after, same schedule in plaintext", report.mse_plaintext_same_schedule),
        ("least squares on the trainers' pooled rows", report.mse_pooled_ols),
    ):
        table.add_row(name, f"{value:.4f}")
    table.add_row("largest difference of a weight to plaintext", f"{report.weights_max_abs_error:.1e}")
    return table


def _pay_table(report: "DemoReport") -> Table:
    unit = MARKET_ASSET.smallest
    table = Table(title=f"deposit {report.deposit_wei} {unit} = paid + refunded; the pot pays contributions")
    table.add_column("party", no_wrap=True)
    table.add_column("of the pot", justify="right")
    table.add_column(unit, justify="right")
    for account, amount in report.paid_wei.items():
        share = report.contributions.get(account)
        table.add_row(account, "" if share is None else f"{share:.1%}", amount)
    table.add_row("refund to the buyer", "", report.refund_wei)
    return table


def _time_table(report: "DemoReport") -> Table:
    table = Table(title=f"{report.seconds_total:.1f} s from start to end")
    table.add_column("phase, summed over cores and daemons")
    table.add_column("seconds", justify="right")
    for phase, seconds in report.seconds_by_phase.items():
        table.add_row(phase, f"{seconds:.2f}")
    table.add_row(f"{report.messages_on_bus} messages", f"{report.bytes_on_bus / 1e6:.1f} MB")
    return table


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
