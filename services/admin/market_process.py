"""What runs in a market on one machine: its servers and daemons, each with a way to ask how it does."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from services.admin.daemon_health import DaemonFails, NoAnswer, ask_health
from services.admin.market_folder import CONFIG, KINDS
from services.common.errors import ConfigurationError
from services.config.console import ConsoleSettings
from services.config.daemons import ChainListenerConfig, Config, load
from services.identity.keystore import public_identity

State = Literal["healthy", "starting", "unhealthy", "down", "replaced", "elsewhere"]
"""`replaced`: another took its place and it does not run. `elsewhere`: its keys are on another machine."""

ROLES: Mapping[str, str] = {kind: role for role, kind in KINDS.items()} | {"chain-listener": "chain_listener"}
_ORDER = ("chain-listener", "aggregator", "data-owner", "model-buyer")


@dataclass(frozen=True, slots=True)
class Condition:
    """How a process does, and what there is to know."""

    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MarketProcess:
    """One process; `probe` asks it while it runs.

    `address` is a party's account, `url` where the process answers, `console` its web console.
    """

    name: str
    role: str
    command: Sequence[str]
    folder: Path
    probe: Callable[[], Condition]
    address: str = ""
    url: str = ""
    console: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Member:
    """A daemon of the market, as the configuration in its folder tells."""

    name: str
    folder: Path
    config: Config

    @property
    def is_here(self) -> bool:
        """Whether it can run on this machine: a party's keys may be elsewhere."""
        return (
            isinstance(self.config, ChainListenerConfig) or (self.config.keystore / "keystore.json").exists()
        )

    @property
    def address(self) -> str:
        """Its account; empty for the listener, which has none."""
        if isinstance(self.config, ChainListenerConfig):
            return ""
        if self.is_here:
            return public_identity(self.config.keystore).address
        return self.config.broker.url.partition("://")[2].partition("@")[0]

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.folder / CONFIG

    def process(self) -> MarketProcess:
        """How it runs."""
        console = None if isinstance(self.config, ChainListenerConfig) else self.config.console
        return MarketProcess(
            name=self.name,
            role=ROLES[self.config.daemon],
            command=(
                sys.executable,
                "-P",
                "-m",
                "services.cli",
                self.config.daemon,
                "--config",
                str(self.file),
            ),
            folder=self.folder,
            probe=lambda: _condition(self.config),
            address=self.address,
            console="" if console is None else console_url(console),
        )


def members(folder: Path) -> list[Member]:
    """The daemons of the market in this folder, in the order in which they are shown.

    Raises ConfigurationError for a configuration that cannot be used.
    """
    files = sorted(folder.glob(f"*/{CONFIG}"))
    found = [Member(file.parent.name, file.parent, load(file)) for file in files]
    return sorted(found, key=lambda one: (_ORDER.index(one.config.daemon), one.name))


def console_url(console: ConsoleSettings) -> str:
    """Where a browser on this machine opens the console."""
    if console.public_url is not None:
        return console.public_url
    scheme = "http" if console.certificate_file is None else "https"
    host = f"[{console.host}]" if ":" in console.host else console.host
    return f"{scheme}://{host}:{console.port}"


def _condition(config: Config) -> Condition:
    try:
        answer = ask_health(config)
    except DaemonFails as error:
        return Condition("unhealthy", str(error))
    except NoAnswer:
        return Condition("starting")
    except ConfigurationError as error:
        return Condition("unhealthy", str(error))
    return Condition("healthy" if answer.works else "starting", "; ".join(answer.notes))
