"""`deltaml demo`: its options."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from services.cli.amounts import Wei, amount_option
from services.cli.options import (
    KIND,
    METHOD_HELP,
    RHO_HELP,
    RIDGE,
    ROWS,
    Json,
    known_word,
    method_of,
    options_of,
)
from services.common.worker_process import prepare
from services.data.sample_request import DemoOptions
from services.observability.logging import configure

_Attended = Annotated[
    bool, typer.Option("--console", help="Stay up, with every party's web console and a start page.")
]
_ConsolePort = Annotated[
    int, typer.Option(help="Port of the start page; the consoles take the ports after it.", min=0, max=65000)
]
_Log = Annotated[str, typer.Option(help="Level of the log on standard error.")]


def _step_size(text: str | None) -> Decimal | None:
    return None if text in (None, "auto") else _number("--step-size", text)


def _tolerance(text: str | None) -> Decimal | None:
    return None if text is None else _number("--tolerance", text)


def _rho(text: str | None) -> Decimal | None:
    return None if text is None else _number("--rho", text)


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MisuseError(f"{option} {text!r} is not a number; write it like 1.5") from None


def _start(text: str | None) -> str | None:
    return None if text is None else known_word("--start", text, ("zero", "mean"))


def _read(reader: Callable[[str], object], help_text: str) -> object:
    """An option that `reader` reads: its errors say more than a refusal by type."""
    return typer.Option(parser=str, callback=reader, metavar="<str>", help=help_text)


_OPTIONS = {
    "kind": KIND,
    "rounds": typer.Option(help="Averages of local models at most; default: 5.", min=1, max=10_000),
    "folds": typer.Option(
        help="Deal the owners into so many folds: each validates in one and trains in the others, each has "
        "its part of the rounds, and mean and spread of the folds' errors are shown; default: 1, none. "
        "--rounds is then a multiple of it, --owners twice as many or more.",
        min=1,
        max=10,
    ),
    "local_steps": typer.Option(help="Gradient steps in each round; default: 500.", min=1),
    "method": _read(method_of, METHOD_HELP),
    "rho": _read(_rho, RHO_HELP),
    "owners": typer.Option(help="Data owners; the contract draws who trains."),
    "step_size": _read(_step_size, "η of gradient descent at most; default: auto, the largest that is safe."),
    "tolerance": _read(_tolerance, "End when a round improves by less than this share; default: 0.001."),
    "start": _read(_start, "First model: mean (of the target), the default, or zero."),
    "ridge": RIDGE,
    "thesis": typer.Option("--thesis", help="As in 2019: unscaled features, 20 × 5 steps of 1.5 from zero."),
    "key_bits": typer.Option(help="Bits of the Paillier key."),
    "deposit": amount_option("The buyer's deposit", default=MARKET_ASSET.whole),
    "token": typer.Option(
        "--token", help="Pay in a test token of its own; --deposit then counts its smallest units."
    ),
    "broker": typer.Option(help="AMQP URL instead of the embedded bus."),
    "chain": typer.Option(help="JSON-RPC URL of anvil, not the embedded chain."),
    **ROWS,
    "model_out": typer.Option(help="Write the bought model here."),
    "card": typer.Option(help="Write the model's card here: .html, .md or .json."),
    "report": typer.Option(help="Write the figures here, as JSON."),
    "force": typer.Option("--force", help="Replace these files if they exist."),
    "folder": typer.Option("--store", help="Keep every party's database in this folder."),
    "transcripts": typer.Option(help="Write every party's transcript to this folder, for `deltaml verify`."),
    "workers": typer.Option(help="Worker processes; default: one a core.", min=0),
    "metrics_port": typer.Option(help="Serve Prometheus metrics on this loopback port.", min=1, max=65535),
}


@options_of(DemoOptions, _OPTIONS)
def demo(
    options: DemoOptions,
    *,
    console: _Attended = False,
    console_port: _ConsolePort = 8700,
    log: _Log = "error",
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Run a whole market here: buyer, aggregator, owners, bus, chain; train, pay, show the figures."""
    if options.workers != 0:
        prepare()  # the rest is loaded on two cores at once
    configure(level=log.upper())
    from services.cli import demo_session  # noqa: PLC0415  a whole market: seconds that --help need not take

    if console:
        demo_session.attend(options, console_port, wei=wei, json=json)
    else:
        demo_session.run(options, wei=wei, json=json)
