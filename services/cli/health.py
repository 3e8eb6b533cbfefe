"""`deltaml health`: asks a daemon on this machine whether it runs; for supervisors and containers."""

from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import typer

_SECONDS = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  it is asked, not listened on


def health(config: Annotated[Path, typer.Option(help="The daemon's YAML file.")]) -> None:
    """Ask a daemon's /health; exit status 3 when it fails or does not answer."""
    from services.common.errors import ConfigurationError, ServiceError  # noqa: PLC0415
    from services.config.daemons import load  # noqa: PLC0415

    settings = load(config)
    port = settings.metrics_port
    if port is None:
        raise ConfigurationError(f"{config} has no metrics_port; give it one, /health is served there")
    named = _EVERYWHERE.get(settings.metrics_host, settings.metrics_host)
    host = f"[{named}]" if ":" in named else named
    try:
        with build_opener(ProxyHandler({})).open(f"http://{host}:{port}/health", timeout=_SECONDS) as answer:
            typer.echo(answer.read(1000).decode())
    except HTTPError as error:
        with error:
            raise ServiceError(f"the daemon on {host}:{port} fails: {error.read(1000).decode()}") from None
    except (URLError, OSError):
        raise ServiceError(f"no daemon answers on {host}:{port}: see its log") from None
