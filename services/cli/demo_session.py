"""A run of `deltaml demo` on a terminal: a line for each event, and the closing tables."""

from dataclasses import dataclass

import typer

from protocol.asset import MARKET_ASSET, Asset
from protocol.errors import MisuseError
from protocol.messages import ChainEvent
from services.chain.contract.tokens import TEST_TOKEN
from services.cli.amounts import money
from services.cli.event_lines import event_line
from services.cli.output import print_json
from services.cli.standard_streams import visible
from services.cli.tables import print_table
from services.common.errors import OutputFailed
from services.common.files import write_private
from services.console.presentation.convergence import convergence_sentence
from services.console.presentation.folds import folds_sentence
from services.console.presentation.penalties import penalty_sentence
from services.data.sample_request import DemoOptions
from services.records.chain_facts import record_of
from services.sandbox.demo import run_demo
from services.sandbox.report import DemoReport


def run(options: DemoOptions, *, wei: bool, json: bool) -> None:
    """One training from start to end; its figures are shown, and written where `options` say."""
    narrator = Narrator(options, wei=wei, quiet=json)
    outcome = run_demo(options, narrator.tell)
    if options.report is not None:
        write_private(options.report, outcome.model_dump_json(indent=2).encode() + b"\n")
    narrator.finish()
    if json:
        print_json(outcome.model_dump(mode="json"))
    else:
        _show_report(outcome, _asset(options), wei=wei)
        _show_files(options)


def attend(options: DemoOptions, port: int, *, wei: bool, json: bool) -> None:
    """Until Ctrl-C. What is written when a training ends belongs to the unattended demo."""
    for name, given in (
        ("--report", options.report),
        ("--model-out", options.model_out),
        ("--card", options.card),
        ("--transcripts", options.transcripts),
        ("--json", json),
    ):
        if given:
            raise MisuseError(f"{name} does not go with --console, which shows and downloads the results")
    from services.sandbox.interactive_demo import run_attended_demo  # noqa: PLC0415  consoles and their server

    narrator = Narrator(options, wei=wei)
    try:
        run_attended_demo(options, port, narrator.tell, narrator.invite)
    except KeyboardInterrupt:
        narrator.tell("stopped", None)
    narrator.finish()


@dataclass(slots=True)
class Narrator:
    """Prints what happens as it happens."""

    options: DemoOptions
    wei: bool = False
    quiet: bool = False
    failure: OutputFailed | None = None

    def tell(self, text: str, event: ChainEvent | None) -> None:
        """One line for a text, or for an event that people care about.

        What cannot be told does not end a training whose results are still to be written.
        """
        line = text
        if event is not None:
            line = event_line(
                *record_of(event), self.options.most_rounds(), wei=self.wei, asset=_asset(self.options)
            )
        if line and not self.quiet:
            try:
                typer.echo(visible(line))
            except OutputFailed as failure:
                self.quiet, self.failure = True, failure

    def invite(self, address: str) -> None:
        """Where to look; the first look starts the first training."""
        typer.echo(f"open {address}")
        typer.echo("the first training begins when you do; Ctrl-C stops the market")

    def finish(self) -> None:
        """Raise OutputFailed if something could not be told."""
        if self.failure is not None:
            raise self.failure


_MEASURES = {
    "linear_regression": ("mean squared error", "MSE"),
    "binary_classification": ("Brier score", "Brier"),
    "several_targets": ("mean squared error in halves of declared ranges", "MSE"),
    "several_classes": ("mean of the classes' Brier scores", "Brier"),
}
"""What the published errors are, by the kind of model; of kinds with a link they are deviances."""


def _asset(options: DemoOptions) -> Asset:
    return TEST_TOKEN if options.token else MARKET_ASSET


def _show_report(report: DemoReport, asset: Asset = MARKET_ASSET, *, wei: bool = False) -> None:
    """The closing tables."""
    errors = (
        ("before", f"{report.mse_initial:.4f}"),
        ("after, as published", f"{report.mse_final:.4f}"),
        ("after, same schedule in plaintext", f"{report.mse_plaintext_same_schedule:.4f}"),
        ("least squares on the trainers' pooled rows", f"{report.mse_pooled_ols:.4f}"),
        ("largest difference of a weight to plaintext", f"{report.weights_max_abs_error:.1e}"),
    )
    steps = f" × {report.local_steps} steps" if report.rho is None else f" of ADMM, ρ = {report.rho:g}"
    title = f"{report.rounds} rounds{steps}, {report.key_bits}-bit key"
    what = _MEASURES.get(report.kind, ("mean deviance", "deviance"))
    print_table((f"{what[0]} on the validators' rows", what[1]), errors, title=title, right=(what[1],))
    if report.convergence is not None:
        typer.echo(convergence_sentence(report.convergence))
    if text := penalty_sentence(report.penalties):
        typer.echo(text)
    if report.folds is not None:
        typer.echo(folds_sentence(report.folds))
    _show_pay(report, asset, wei=wei)
    times = [(phase, f"{seconds:.2f}") for phase, seconds in report.seconds_by_phase.items()]
    times.append((f"{report.messages_on_bus} messages", f"{report.bytes_on_bus / 1e6:.1f} MB"))
    title = f"{report.seconds_total:.1f} s from start to end"
    print_table(("phase, summed over cores and daemons", "seconds"), times, title=title, right=("seconds",))


def _show_files(options: DemoOptions) -> None:
    """What there is to look at now."""
    kept = {
        "model": options.model_out,
        "card": options.card,
        "report": options.report,
        "stores": options.folder,
        "transcripts": options.transcripts,
    }
    for what, path in kept.items():
        if path is not None:
            typer.echo(visible(f"{what}: {path}"))


def _show_pay(report: DemoReport, asset: Asset, *, wei: bool) -> None:
    """Who got how much of the deposit, exactly."""
    pay = [
        (
            f"{report.roles.get(account, 'aggregator')} {account}",
            f"{report.contributions[account]:.1%}" if account in report.contributions else "",
            amount if wei else _aligned(amount, asset),
        )
        for account, amount in report.paid_wei.items()
    ]
    pay.append(("refund to the buyer", "", report.refund_wei if wei else _aligned(report.refund_wei, asset)))
    deposit = money(int(report.deposit_wei), wei=wei, asset=asset)
    title = f"deposit {deposit} = paid + refunded; the pot pays contributions"
    names = ("party", "of pot", asset.smallest if wei else asset.symbol)
    print_table(names, pay, title=title, right=names[1:])


def _aligned(amount: str, asset: Asset) -> str:
    """An amount with all its decimals, so that the points of a column stand below each other."""
    return f"{asset.decimal(int(amount)):f}"
