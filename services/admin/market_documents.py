"""The documents of a new market: the broker's plan and each daemon's configuration."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.admin.market_console import console_section
from services.admin.market_database import store_url
from services.admin.market_folder import (
    BROKER_PASSWORD,
    CONFIG,
    DATA_SETS,
    KINDS,
    PASSPHRASE,
    STORE_PASSWORD,
    MarketFolder,
    Party,
)
from services.chain.contract.deploy import Deployment

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """What to set up. URLs are those that the daemons will use too; none holds a password.

    `confirmations` makes a block final; `workers` are each daemon's processes for arithmetic; `metrics_port`
    is the first of consecutive ports, one a daemon, and `metrics_host` the address that they are opened on;
    `console_port` and `console_host` likewise, for all but the listener. `postgresql_url` names a server and
    its administrator; without it, stores are SQLite files.
    """

    folder: Path
    chain_url: str
    broker_url: str
    management_url: str
    administrator_password_file: Path
    administrator: str = "administrator"
    virtual_host: str = "deltaml"
    owners: int = 5
    data: Path | None = None
    target: str | None = None
    columns: str | None = None
    seed: int = 39
    confirmations: int = 2
    workers: int = 1
    metrics_port: int | None = None
    metrics_host: str | None = None
    postgresql_url: str | None = None
    postgresql_password_file: Path | None = None
    console_port: int | None = None
    console_host: str = "127.0.0.1"


_FOR_TRYING = {"per_buyer": 10_000, "in_total": 10_000}
"""Published numbers about a data set: a hundred trainings of the sample's request.

Its owners' rows lie with whoever sets the market up anyway; an owner with rows of its own leaves both out.
"""


def broker_document(plan: MarketPlan, folder: MarketFolder, deployment: Deployment) -> Document:
    """The document of `deltaml admin broker`: who takes part; password files are relative to the folder."""
    listener, listener_password = _listener_user(deployment), f"{folder.listener.name}/{BROKER_PASSWORD}"
    return {
        "management": {
            "url": plan.management_url,
            "user": plan.administrator,
            "password_file": str(plan.administrator_password_file.absolute()),
        },
        "amqp": {"url": plan.broker_url},
        "vhost": plan.virtual_host,
        "participants": [
            {"role": party.role, "address": party.address, "password_file": f"{party.name}/{BROKER_PASSWORD}"}
            for party in folder.participants
        ],
        "chain_listeners": [{"user": listener, "password_file": listener_password}],
    }


def daemon_documents(
    plan: MarketPlan, folder: MarketFolder, deployment: Deployment
) -> Iterator[tuple[Path, Document]]:
    """Each daemon's configuration and where it belongs."""
    listener = _common(plan, deployment, _listener_user(deployment), 0, folder.listener.name)
    yield folder.listener / CONFIG, {"daemon": "chain-listener", **listener}
    for number, party in enumerate(folder.participants, start=1):
        assert party.role is not None
        document = {
            "daemon": KINDS[party.role],
            **_common(plan, deployment, party.address, number, party.name),
            "keystore": "keys",
            "passphrase_file": PASSPHRASE,
            "workers": plan.workers,
            **_console(plan, number),
            "names": {other.address: other.name for other in folder.participants if other != party},
            **_own(party, folder),
        }
        yield party.folder / CONFIG, document


def _listener_user(deployment: Deployment) -> str:
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


def _console(plan: MarketPlan, number: int) -> Document:
    if plan.console_port is None:
        return {}
    return {"console": console_section(plan.console_host, plan.console_port + number - 1)}


def _common(plan: MarketPlan, deployment: Deployment, user: str, number: int, name: str) -> Document:
    scheme, host = urlsplit(plan.broker_url)[:2]
    metrics: Document = {} if plan.metrics_port is None else {"metrics_port": plan.metrics_port + number}
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
            "poll_seconds": 1.0,
        },
        **_store(plan, name),
        **metrics,
    }


def _own(party: Party, folder: MarketFolder) -> Document:
    if party.role == "federated_aggregator":
        return {"admitted": [owner.address for owner in folder.owners]}
    if party.role == "data_owner":
        return {
            "catalogue": DATA_SETS,
            "aggregators": [folder.aggregator.address],
            "policy": {"automatic": True, "budget": _FOR_TRYING},
        }
    return {"aggregators": [folder.aggregator.address]}
