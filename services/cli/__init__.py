"""The `deltaml` command: which commands there are. Each is imported when it runs."""

import gc
import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import structlog
import typer

from services.cli.error_group import ErrorGroup
from services.cli.lazy_group import LazyGroup
from services.cli.standard_streams import standard_streams
from services.common.ending import leave
from services.common.hashing import hash_fast

_COMMANDS = {
    "demo": "Run a whole market here: buyer, aggregator, owners, bus, chain; train, pay, show the figures.",
    "request": "Requests: what a buyer asks to have trained.",
    "market": "What is on offer: the data that owners list with the aggregators of a buyer.",
    "predict": "Predict the target for every row; with the target in the file, score the model.",
    "show": "Show a daemon's trainings, or what it noted about one.",
    "trainings": "List a daemon's trainings and their states.",
    "history": "Show what happened: trainings, rounds, their times, what failed and what was tried again.",
    "earnings": "What an owner or an aggregator earned, or a buyer spent, as the chain has confirmed it.",
    "transcript": "Write what this daemon keeps of a training, hash-chained and sealed with its key.",
    "verify": "Rebuild a training from a transcript: proofs, openings, records, contributions, pay, blame.",
    "health": "Ask a daemon's /health; exit status 3 when it fails or does not answer.",
    "train": "Ask the buyer's daemon to have a model trained, and tell what daemon and contract say to it.",
    "admissions": "Show which owners would join the buyer's trainings that have not started, and what was "
    "decided.",
    "admit": "Have the buyer's daemon admit an owner that waits for a decision, so that it can join the "
    "training.",
    "refuse": "Have the buyer's daemon refuse an owner that waits for a decision; it cannot join any more.",
    "accept": "Have the owner's daemon join a training that waits for a decision.",
    "decline": "Have the owner's daemon decline a training that waits for a decision.",
    "withdraw": "Have the contract pay an owner's credit out; "
    "needed where the policy does not do so by itself.",
    "stop": "Have the buyer's or the aggregator's daemon end a training; what was recorded is settled.",
    "budget": "How many numbers about each data set were published, for whom, and its limits; or set them.",
    "model-buyer": "Run a model buyer's daemon until SIGTERM: it orders trainings and gets the models.",
    "data-owner": "Run a data owner's daemon until SIGTERM: it trains and validates on its own rows.",
    "aggregator": "Run an aggregator's daemon until SIGTERM: it coordinates trainings that it cannot read.",
    "chain-listener": "Run the daemon that carries the contract's events from a node to the broker, "
    "until SIGTERM.",
    "datasets": "Data sets that an owner trains with.",
    "policy": "An owner's standing policy: the configuration's until one is set, which outlives a restart.",
    "keys": "Signing, exchange and Paillier keys of a daemon.",
    "admin": "Set up what a market runs on.",
    "console": "The web console of a daemon.",
}
_MODULES = {
    "trainings": "show",
    **dict.fromkeys(("admit", "refuse"), "admissions"),
    **dict.fromkeys(("train", "accept", "decline", "stop"), "orders"),
    **dict.fromkeys(("model-buyer", "data-owner", "aggregator", "chain-listener"), "daemons"),
}


class Commands(ErrorGroup, LazyGroup):
    """All commands of `deltaml`."""

    lazy, modules = _COMMANDS, _MODULES


app = typer.Typer(
    name="deltaml",
    cls=Commands,
    help="A market where a model is trained on data its buyer never sees, by owners who never see the model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables: rows and keys
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"deltaml {version('deltaml')}")
        except PackageNotFoundError:
            typer.echo("deltaml, run from its sources without being installed")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """All options are for the commands."""


def main() -> None:
    """Run the command line, and end the process with its status."""
    _log_nothing()
    _collect_seldom()
    hash_fast()
    try:
        with standard_streams():
            app(prog_name="deltaml")
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        raise


_COLLECTED_AFTER = 50_000
"""So many new objects."""


def _collect_seldom() -> None:
    """Look for garbage less often: what is imported stays, and is looked through each time all the same.

    At Python's 700 objects that took a tenth of what a market takes to start.
    """
    gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])


def _log_nothing() -> None:
    """A command tells what failed by its error; daemons and demo set up a log of their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(capture=True)
