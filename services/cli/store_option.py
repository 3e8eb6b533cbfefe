"""A store as commands name it: by its file or URL, or by the configuration of its daemon."""

from pathlib import Path

from services.common.errors import ConfigurationError
from services.config.daemons import load
from services.store.store import Store


def place_of(store: str | None, config: Path | None) -> tuple[str, str | None]:
    """URL and password; raises ConfigurationError unless exactly one of the two is given."""
    if (store is None) == (config is None):
        raise ConfigurationError("give --store or --config: the daemon's database, or its configuration")
    if config is not None:
        settings = load(config)
        return settings.store, settings.store_password()
    url = store or ""
    return (url if "://" in url else f"sqlite:///{url}"), None


def opened(
    store: str | None, config: Path | None, *, exclusive: bool = False, existing: bool = False
) -> Store:
    """The store, open; see Store."""
    url, password = place_of(store, config)
    return Store(url, password=password, exclusive=exclusive, existing=existing)
