"""`deltaml model-buyer | data-owner | aggregator | chain-listener`: the long-running daemons."""

from services.cli.options import ConfigFile
from services.config.daemons import load
from services.daemon.participant import run_daemon


def model_buyer(config: ConfigFile) -> None:
    """Run a model buyer's daemon until SIGTERM: it orders trainings and gets the models."""
    run_daemon(load(config, "model-buyer"))


def data_owner(config: ConfigFile) -> None:
    """Run a data owner's daemon until SIGTERM: it trains and validates on its own rows."""
    run_daemon(load(config, "data-owner"))


def aggregator(config: ConfigFile) -> None:
    """Run an aggregator's daemon until SIGTERM: it coordinates trainings that it cannot read."""
    run_daemon(load(config, "aggregator"))


def chain_listener(config: ConfigFile) -> None:
    """Run the daemon that carries the contract's events from a node to the broker, until SIGTERM."""
    run_daemon(load(config, "chain-listener"))
