"""`deltaml health`: asks a daemon on this machine whether it runs; for supervisors and containers."""

from pathlib import Path
from typing import Annotated

import typer

from services.admin.daemon_health import ask_health
from services.cli.standard_streams import visible
from services.config.daemons import load


def health(config: Annotated[Path, typer.Option(help="The daemon's YAML file.")]) -> None:
    """Ask a daemon's /health; exit status 3 when it fails or does not answer."""
    typer.echo(visible(ask_health(load(config)).text))
