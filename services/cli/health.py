"""`deltaml health`: asks a daemon on this machine whether it runs; for supervisors and containers."""

from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import typer

from services.common.errors import ConfigurationError, ServiceError
from services.config.daemons import load

_SECONDS = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  it is asked, not listened on


def health(config: Annotated[Path, typer.Option(help="The daemon's YAML file.")]) -> None:
    """Ask a daemon's /health; exit status 3 when it fails or does not answer."""
    settings = load(config)
    if settings.metrics_port is None:
        raise ConfigurationError(f"{config} has no metrics_port: give it one, which serves /health")
    named = _EVERYWHERE.get(settings.metrics_host, settings.metrics_host)
    host = f"[{named}]" if ":" in named else named
    place = f"{host}:{settings.metrics_port}"
    try:
        with build_opener(ProxyHandler({})).open(f"http://{place}/health", timeout=_SECONDS) as answer:
            typer.echo(answer.read(1000).decode())
    except HTTPError as error:
        with error:
            raise ServiceError(f"the daemon on {place} fails: {error.read(1000).decode()}") from None
    except (URLError, OSError):
        raise ServiceError(f"no daemon answers on {place}: see its log") from None
