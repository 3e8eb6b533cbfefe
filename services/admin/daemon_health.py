"""Asking a daemon of this machine how it does, over its /health."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from services.common.errors import ConfigurationError, ServiceError
from services.config.daemons import Config

_SECONDS = 5.0
_MOST_BYTES = 64 << 10
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  it is asked, not listened on


class DaemonFails(ServiceError):  # noqa: N818
    """A daemon answers that it is not in good health, and why."""


class NoAnswer(ServiceError):  # noqa: N818
    """No daemon answers there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a daemon in good health says: what it does, and what its operator should know."""

    text: str
    document: Mapping[str, Any]

    @property
    def works(self) -> bool:
        """Whether it is registered and takes its messages; before that it waits for broker or node."""
        return self.document.get("doing") == "works"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is no failure and still to be known."""
        return tuple(map(str, self.document.get("notes", ())))


def ask_health(config: Config) -> Answer:
    """What the daemon says; raises DaemonFails, NoAnswer, and ConfigurationError where none can be asked."""
    if config.metrics_port is None:
        raise ConfigurationError(f"{config.file} has no metrics_port: give it one, which serves /health")
    named = _EVERYWHERE.get(config.metrics_host, config.metrics_host)
    place = f"{f'[{named}]' if ':' in named else named}:{config.metrics_port}"
    try:
        with build_opener(ProxyHandler({})).open(f"http://{place}/health", timeout=_SECONDS) as answer:
            text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except HTTPError as error:
        with error:
            said = error.read(1000).decode("utf-8", "replace")
        raise DaemonFails(f"the daemon on {place} fails: {said}") from None
    except (URLError, OSError, HTTPException):
        raise NoAnswer(f"no daemon answers on {place}: see its log") from None
    return Answer(text, _document(text))


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
