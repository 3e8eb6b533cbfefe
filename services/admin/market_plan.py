"""From what an operator asks for to a plan without gaps: servers, ports, what an earlier run chose."""

from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit

from services.admin.market_database import check_server_url
from services.admin.market_documents import MarketPlan
from services.admin.market_folder import MarketFolder
from services.admin.market_record import MarketRecord
from services.admin.market_servers import OwnServers, administrator_password, chosen_servers, free_ports
from services.common.errors import ConfigurationError
from services.common.urls import is_url

LEAST_OWNERS, MOST_OWNERS = 4, 64
FIRST_METRICS_PORT, FIRST_CONSOLE_PORT = 9464, 8462
_BESIDE_OWNERS = 3
"""Daemons of a new market: listener, buyer, aggregator."""


def check_plan(plan: MarketPlan) -> None:
    """Raise ConfigurationError for what cannot be set up, before anything is made."""
    if not LEAST_OWNERS <= plan.owners <= MOST_OWNERS:
        raise ConfigurationError(
            f"{plan.owners} owners: give {LEAST_OWNERS} (two train, two validate) to {MOST_OWNERS}"
        )
    for name, value, schemes in (
        ("--chain", plan.chain_url, ("http", "https")),
        ("--broker", plan.broker_url, ("amqp", "amqps")),
        ("--broker-management", plan.management_url, ("http", "https")),
    ):
        if value and (not is_url(value, schemes) or "@" in urlsplit(value).netloc):
            raise ConfigurationError(
                f"{name} must be a URL like {schemes[0]}://host:port, without user or password"
            )
    if urlsplit(plan.broker_url).path.strip("/"):
        raise ConfigurationError("--broker takes no path: name the virtual host with --vhost")
    others = (plan.management_url, plan.administrator_password_file)
    if bool(plan.broker_url) != all(others) or (any(others) and not plan.broker_url):
        raise ConfigurationError(
            "--broker, --broker-management and --administrator-password-file belong together; without any "
            "the market has a broker of its own"
        )
    if plan.postgresql_url is not None:
        check_server_url(plan.postgresql_url)
        if plan.postgresql_password_file is None:
            raise ConfigurationError(
                "--postgresql needs --postgresql-password-file, with its administrator's password"
            )


def recorded(plan: MarketPlan, known: MarketRecord | None) -> MarketRecord:
    """The plan without gaps, and the market's own servers; what was `known` holds where nothing is given.

    Raises ConfigurationError where a server of its own is wanted and its program is missing.
    """
    if known is not None:
        merged = replace(known.plan, **_given(plan))
        return known.model_copy(update={"plan": merged, "own": _still_own(known.own, merged)})
    own = chosen_servers(
        chain=not plan.chain_url, broker=not plan.broker_url, block_seconds=plan.block_seconds
    )
    if own.chain_port is not None:
        plan = replace(plan, chain_url=own.chain_url)
    if own.broker is not None:
        password = administrator_password(plan.folder)
        plan = replace(plan, broker_url=own.broker_url, management_url=own.management_url)
        plan = replace(plan, administrator_password_file=password)
    count = plan.owners + _BESIDE_OWNERS
    metrics, console = plan.metrics_port, plan.console_port
    return MarketRecord(
        plan=replace(
            plan,
            metrics_port=free_ports(FIRST_METRICS_PORT, count).start if metrics is None else metrics,
            console_port=free_ports(FIRST_CONSOLE_PORT, count - 1).start if console is None else console,
        ),
        own=own,
    )


def require_own_servers(known: MarketRecord, record: MarketRecord, folder: MarketFolder) -> None:
    """Raise ConfigurationError where a server of the market's own, that the market works on, is given up."""
    for server, option, kept, is_used in (
        ("chain", "--chain", known.own.chain_port == record.own.chain_port, folder.deployment() is not None),
        ("broker", "--broker", known.own.broker == record.own.broker, folder.broker_plan.exists()),
    ):
        if is_used and not kept:
            raise ConfigurationError(
                f"the market in {folder.path} works on a {server} of its own and keeps it: leave out "
                f"{option}, or set up another market in a new folder"
            )


def _given(plan: MarketPlan) -> dict[str, Any]:
    """The values that are no defaults."""
    values = {field.name: getattr(plan, field.name) for field in fields(plan)}
    return {field.name: values[field.name] for field in fields(plan) if values[field.name] != field.default}


def _still_own(own: OwnServers, plan: MarketPlan) -> OwnServers:
    """Another's server that is named now takes the place of an own one."""
    return own.model_copy(
        update={
            "chain_port": own.chain_port if plan.chain_url == own.chain_url else None,
            "broker": own.broker if plan.broker_url == own.broker_url else None,
        }
    )
