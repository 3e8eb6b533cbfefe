"""The documents of a new market: the broker's plan and each daemon's configuration."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from protocol.marketplace import PartyRole
from protocol.request_sections import DEFAULT_KIND
from services.admin.broker_administrator import ADMINISTRATOR
from services.admin.market_console import console_section
from services.admin.market_database import store_url
from services.admin.market_folder import (
    BROKER_PASSWORD,
    CONFIG,
    DATA_SETS,
    KEYS,
    KINDS,
    PASSPHRASE,
    STORE_PASSWORD,
    MarketFolder,
)
from services.chain.contract.registry import Deployment

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """What to set up. URLs are those that the daemons will use too; none holds a password.

    Without `chain_url`, or without `broker_url`, the market has a server of its own, without `virtual_host`
    one of its own on the broker. `confirmations` makes a block final; `workers` are each daemon's processes
    for arithmetic; `metrics_port` is the first of consecutive ports, one a daemon, and `metrics_host` the
    address that they are opened on; `console_port` and `console_host` likewise, for all but the listener;
    None takes free ones. `postgresql_url` names a server and its administrator; without it, stores are SQLite
    files. `block_seconds` lie between the blocks of an own chain. The sample order asks for a model of
    `kind`.
    """

    folder: Path
    chain_url: str = ""
    broker_url: str = ""
    management_url: str = ""
    administrator_password_file: Path | None = None
    administrator: str = ADMINISTRATOR
    virtual_host: str = ""
    owners: int = 5
    data: Path | None = None
    target: str | None = None
    targets: str | None = None
    level: str | None = None
    inference: bool = False
    columns: str | None = None
    event: str | None = None
    kind: str = DEFAULT_KIND
    seed: int = 39
    confirmations: int = 2
    workers: int = 1
    metrics_port: int | None = None
    metrics_host: str | None = None
    postgresql_url: str | None = None
    postgresql_password_file: Path | None = None
    console_port: int | None = None
    console_host: str = "127.0.0.1"
    block_seconds: float = 1.0


_FOR_TRYING = {"per_buyer": 10_000, "in_total": 10_000}
"""Published numbers about a data set: a hundred trainings of the sample's request.

Its owners' rows lie with whoever sets the market up anyway; an owner with rows of its own leaves both out.
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """A daemon's ports; None opens none."""

    metrics: int | None = None
    console: int | None = None


def broker_document(plan: MarketPlan, folder: MarketFolder, deployment: Deployment) -> Document:
    """The document of `deltaml admin broker`: who takes part; password files are relative to the folder."""
    assert plan.administrator_password_file is not None
    password = plan.administrator_password_file.absolute()
    if password.is_relative_to(folder.path):
        password = password.relative_to(folder.path)
    listener, listener_password = listener_user(deployment), f"{folder.listener.name}/{BROKER_PASSWORD}"
    return {
        "management": {
            "url": plan.management_url,
            "user": plan.administrator,
            "password_file": str(password),
        },
        "amqp": {"url": plan.broker_url},
        "vhost": plan.virtual_host,
        "participants": [
            broker_place(party.role, party.address, party.name)
            for party in folder.participants
            if party.role is not None
        ],
        "chain_listeners": [{"user": listener, "password_file": listener_password}],
    }


def broker_place(role: PartyRole, address: str, name: str) -> Document:
    """A participant in the broker's document."""
    return {"role": role, "address": address, "password_file": f"{name}/{BROKER_PASSWORD}"}


def daemon_documents(
    plan: MarketPlan, folder: MarketFolder, deployment: Deployment
) -> Iterator[tuple[Path, Document]]:
    """The configuration of each daemon of a new market, and where it belongs."""
    listener = _common(plan, deployment, listener_user(deployment), folder.listener.name, _ports(plan, 0))
    yield folder.listener / CONFIG, {"daemon": "chain-listener", **listener}
    owners = [owner.address for owner in folder.owners]
    for number, party in enumerate(folder.participants, start=1):
        assert party.role is not None
        names = {other.address: other.name for other in folder.participants if other != party}
        others = owners if party.role == "federated_aggregator" else [folder.aggregator.address]
        place = Place(party.role, party.address, party.name, _ports(plan, number))
        yield party.folder / CONFIG, party_document(plan, deployment, place, names, others)


@dataclass(frozen=True, slots=True)
class Place:
    """A party, and the ports of its daemon."""

    role: PartyRole
    address: str
    name: str
    ports: Ports


def party_document(
    plan: MarketPlan, deployment: Deployment, place: Place, names: Mapping[str, str], others: Sequence[str]
) -> Document:
    """A party's configuration; `others` are an aggregator's owners, or anybody else's aggregators."""
    ports = place.ports
    console = {} if ports.console is None else {"console": console_section(plan.console_host, ports.console)}
    return {
        "daemon": KINDS[place.role],
        **_common(plan, deployment, place.address, place.name, ports),
        "keystore": KEYS,
        "passphrase_file": PASSPHRASE,
        "workers": plan.workers,
        **console,
        "names": dict(names),
        **_own(place.role, others),
    }


def _ports(plan: MarketPlan, number: int) -> Ports:
    """The listener is number 0 and has no console."""
    metrics = None if plan.metrics_port is None else plan.metrics_port + number
    console = None if plan.console_port is None or not number else plan.console_port + number - 1
    return Ports(metrics, console)


def listener_user(deployment: Deployment) -> str:
    """Users are the broker's, not the virtual host's: two markets on one broker need two names."""
    return f"chain-listener-{deployment.market.contract[2:10]}"


def database_of(plan: MarketPlan, name: str) -> str:
    """The database of a daemon's store, and its user: two markets on one server need different names."""
    return re.sub(r"[^a-z0-9]", "_", f"{plan.virtual_host}_{name}".lower())


def _store(plan: MarketPlan, name: str) -> Document:
    if plan.postgresql_url is None:
        return {}
    url = store_url(plan.postgresql_url, database_of(plan, name))
    return {"store": url, "store_password_file": STORE_PASSWORD}


def _common(plan: MarketPlan, deployment: Deployment, user: str, name: str, ports: Ports) -> Document:
    scheme, host = urlsplit(plan.broker_url)[:2]
    metrics: Document = {} if ports.metrics is None else {"metrics_port": ports.metrics}
    if plan.metrics_host is not None:
        metrics["metrics_host"] = plan.metrics_host
    return {
        "broker": {"url": f"{scheme}://{user}@{host}/{plan.virtual_host}", "password_file": BROKER_PASSWORD},
        "chain": {
            "url": plan.chain_url,
            "chain_id": deployment.market.chain_id,
            "contract": deployment.market.contract,
            "first_block": deployment.block,
            "confirmations": plan.confirmations,
            "poll_seconds": min(1.0, plan.block_seconds),
        },
        **_store(plan, name),
        **metrics,
    }


def _own(role: PartyRole, others: Sequence[str]) -> Document:
    if role == "federated_aggregator":
        return {"admitted": list(others)}
    if role == "data_owner":
        policy = {"automatic": True, "budget": _FOR_TRYING}
        return {"catalogue": DATA_SETS, "aggregators": list(others), "policy": policy}
    return {"aggregators": list(others)}
