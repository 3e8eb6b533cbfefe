"""A store as commands name it: by its file or URL, or by the configuration of its daemon."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from services.common.errors import ConfigurationError
from services.config.daemons import load
from services.store import Store

StoreOption = Annotated[
    str | None, typer.Option("--store", help="The daemon's SQLite file or PostgreSQL URL.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Use the store of this daemon's file.")]


def store_address(store: str | None, config: Path | None) -> tuple[str, str | None]:
    """URL and password; raises ConfigurationError unless exactly one of the two is given."""
    if (store is None) == (config is None):
        raise ConfigurationError("give --store or --config: the daemon's database, or its configuration")
    if config is not None:
        settings = load(config)
        return settings.store, settings.store_password()
    url = store or ""
    return (url if "://" in url else f"sqlite:///{url}"), None


def existing_store(store: str | None, config: Path | None) -> closing[Store]:
    """The store of a daemon, which may be running."""
    url, password = store_address(store, config)
    return closing(Store(url, password=password, existing=True))
