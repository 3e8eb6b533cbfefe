"""Parties that come to a market that is there: an owner, or an aggregator, perhaps in another's place.

Each step looks at what is done already, so that one that was interrupted is finished by running it again.
Lists and address books of the others are changed in their configurations; what else stands there stays.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from services.admin.market_admission import aggregators_here, not_admitted_text, wait_until_admitted
from services.admin.market_broker import provision
from services.admin.market_chain import contract_of, fund
from services.admin.market_console import provide_console
from services.admin.market_control import START_SECONDS, MarketControl
from services.admin.market_database import provide_databases
from services.admin.market_documents import Place, Ports, broker_place, database_of, party_document
from services.admin.market_folder import (
    BROKER_PASSWORD,
    BROKER_PLAN,
    CONFIG,
    DATA_SETS,
    KINDS,
    STORE_PASSWORD,
    MarketFolder,
    Party,
    ensure_secret,
    yaml_text,
)
from services.admin.market_lists import introduce
from services.admin.market_order import order_for, renewed_order
from services.admin.market_plan import FIRST_CONSOLE_PORT, FIRST_METRICS_PORT
from services.admin.market_process import Member, members
from services.admin.market_record import MarketRecord
from services.admin.market_servers import free_ports
from services.admin.processes import alone
from services.admin.yaml_editing import set_value
from services.bus.broker.provisioning import load_plan
from services.chain.contract.registry import Deployment
from services.chain.rpc.http import HttpRpc
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.files import private_folder, write_private
from services.config.daemons import ChainListenerConfig
from services.data.catalog import Catalog
from services.data.row_files import columns_hint
from services.data.row_reader import read_statistic

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TAKEN = (
    "buyer",
    "aggregator",
    "deployer",
    "chain-listener",
    "chain",
    "broker",
    "broker-names",
    "run",
    "logs",
)
_REMARK = "Made by deltaml admin market; deploy/config explains every field."
_DATA_SET = "rows"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A party to come; `address` is its account where its keys are on another machine.

    `chain_url` and `broker_url` are then how that machine reaches node and broker. `data` has an owner's
    rows.
    """

    folder: Path
    name: str
    role: PartyRole
    data: Path | None = None
    address: str | None = None
    chain_url: str = ""
    broker_url: str = ""
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A party that came: its folder, and the sample order that asks for it, or why there is none."""

    name: str
    folder: Path
    address: str
    started: bool
    order: Path | None
    note: str


async def add_party(newcomer: Newcomer, tell: Tell) -> Arrival:
    """Have a party take part: keys, ether, rights on the broker, configuration, lists; start its daemon.

    Raises MisuseError for what is asked wrongly, ConfigurationError where the folder is another party's,
    ChainError, BusRefused and BusUnavailable from node and broker.
    """
    newcomer = replace(newcomer, folder=newcomer.folder.absolute())
    control = MarketControl(newcomer.folder)
    _check(newcomer, control)
    was_running = any(control.slot(one.name).pid() is not None for one in control.daemons)
    await asyncio.to_thread(control.start_servers, _ignore)
    party = Party(newcomer.name, newcomer.folder / newcomer.name, newcomer.role)
    with alone(newcomer.folder):
        added = tuple(dict.fromkeys((*control.record.added, party.name)))
        control.record = control.record.model_copy(update={"added": added})
        control.record.save()  # first: an interrupted one is known by it
        address = _keys(party, newcomer)
        tell(f"{party.name}: {address}")
        deployment = await _funded(control, party.name, address)
        await _admit_to_broker(control, newcomer, address, tell)
        _provide(control.record, party)
        _configure(control, newcomer, address, deployment)
        if newcomer.data is not None:
            tell(_hold(party, newcomer.data))
        if newcomer.role == "data_owner":
            introduce(control.members, newcomer.name, newcomer.role, address, newcomer.replaces)
    starts = was_running and newcomer.address is None
    if starts:
        await _started(newcomer, tell)
    with alone(newcomer.folder):
        if newcomer.role == "federated_aggregator":  # registered by now: owners announce themselves at once
            _introduce_aggregator(newcomer, address, tell)
        order, note = _order(newcomer, party, address)
    if starts:
        await asyncio.to_thread(_await_admission, newcomer, address, tell)
    return Arrival(party.name, party.folder, address, starts, order, note)


def _introduce_aggregator(newcomer: Newcomer, address: str, tell: Tell) -> None:
    """To whom the configurations name now: they may have changed while its daemon started."""
    everyone = members(newcomer.folder)
    introduce(everyone, newcomer.name, newcomer.role, address, newcomer.replaces)
    for one in everyone:
        if one.config.daemon == "data-owner" and not one.is_here:
            tell(f"tell the people of {one.name} to put {address} among its aggregators")


def _await_admission(newcomer: Newcomer, address: str, tell: Tell) -> None:
    """An order that is given at once finds the newcomer, or the newcomer's owners, ready."""
    control = MarketControl(newcomer.folder)
    running = [one for one in control.members if control.slot(one.name).pid() is not None]
    if newcomer.role == "federated_aggregator":
        owners, aggregators = [one for one in running if one.config.daemon == "data-owner"], [address]
    else:
        owners = [one for one in running if one.name == newcomer.name]
        aggregators = aggregators_here(control)
    for name in wait_until_admitted(owners, aggregators, START_SECONDS):
        tell(not_admitted_text(name))


async def _started(newcomer: Newcomer, tell: Tell) -> None:
    start = MarketControl(newcomer.folder).start
    *_, standing = await asyncio.to_thread(start, [newcomer.name], START_SECONDS, _ignore)
    tell(f"its daemon is {standing.state} (process {standing.pid}) {standing.detail}".rstrip())


def _ignore(_text: str) -> None:
    """The servers and daemons that run already are no news."""


def _check(newcomer: Newcomer, control: MarketControl) -> None:
    name, known = newcomer.name, {one.name: one for one in control.members}
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise MisuseError(
            f"{name!r} is no name for a new party: give lower-case letters, digits and hyphens, 31 at "
            f"most, and none of {', '.join(_TAKEN)}"
        )
    if name in known and known[name].config.daemon != KINDS[newcomer.role]:
        raise ConfigurationError(f"{name} is in this market already, as {known[name].config.daemon}")
    _check_account(newcomer, control.members)
    if newcomer.address is not None and newcomer.data is not None:
        raise MisuseError("an owner with keys of its own adds its rows itself: leave out --data")
    if name not in known and name not in control.record.added and (newcomer.folder / name).exists():
        raise ConfigurationError(
            f"{newcomer.folder / name} is there already and no party's: give another name"
        )
    old = newcomer.replaces
    if old is not None and (old not in known or known[old].config.daemon != "aggregator" or old == name):
        raise MisuseError(f"--replaces {old!r} is no other aggregator of this market")


def _check_account(newcomer: Newcomer, everyone: Iterable[Member]) -> None:
    """A party has one account, and an account is one party's."""
    for one in everyone:
        is_same = one.name == newcomer.name
        if newcomer.address is None and is_same and not one.is_here:
            raise ConfigurationError(f"{one.name} has its keys elsewhere: give --address {one.address}")
        if newcomer.address is not None and is_same != (one.address == newcomer.address):
            raise ConfigurationError(f"{one.name} is in this market already, with the account {one.address}")


def _keys(party: Party, newcomer: Newcomer) -> str:
    """The party's account; its keys are made unless they are elsewhere."""
    if newcomer.address is None:
        party.ensure_keys()
        return party.address
    private_folder(party.folder)
    return newcomer.address


async def _funded(control: MarketControl, name: str, address: str) -> Deployment:
    folder = MarketFolder.of(control.folder, control.record.plan.owners, control.record.added)
    async with HttpRpc(control.record.plan.chain_url) as rpc:
        await fund(rpc, {name: address})
        return await contract_of(rpc, folder)


async def _admit_to_broker(control: MarketControl, newcomer: Newcomer, address: str, tell: Tell) -> None:
    file = control.folder / BROKER_PLAN
    ensure_secret(control.folder / newcomer.name / BROKER_PASSWORD)
    listed = read_yaml(file)["participants"]
    if all(one["address"] != address for one in listed):
        set_value(file, "participants", [*listed, broker_place(newcomer.role, address, newcomer.name)])
    tell(f"broker: {await provision(load_plan(file))} changes")


def _provide(record: MarketRecord, party: Party) -> None:
    """Its database and its console, where the market has them."""
    plan = record.plan
    if plan.postgresql_url is not None and plan.postgresql_password_file is not None:
        password = party.folder / STORE_PASSWORD
        ensure_secret(password)
        wanted = [(database_of(plan, party.name), password)]
        provide_databases(plan.postgresql_url, plan.postgresql_password_file, wanted)
    provide_console(party.folder, plan.console_host)


def _configure(control: MarketControl, newcomer: Newcomer, address: str, deployment: Deployment) -> None:
    """Its configuration, unless it has one."""
    file = control.folder / newcomer.name / CONFIG
    if file.exists():
        return
    plan = control.record.plan
    plan = replace(
        plan,
        chain_url=newcomer.chain_url or plan.chain_url,
        broker_url=newcomer.broker_url or plan.broker_url,
    )
    names = {one.address: one.name for one in control.members if one.address}
    others = [one.address for one in _counterparts(control, newcomer)]
    place = Place(newcomer.role, address, newcomer.name, _ports(control))
    write_private(file, yaml_text(party_document(plan, deployment, place, names, others), _REMARK))


def _counterparts(control: MarketControl, newcomer: Newcomer) -> list[Member]:
    """An aggregator's owners; anybody else's aggregators, those that were replaced left out."""
    kind = "data-owner" if newcomer.role == "federated_aggregator" else "aggregator"
    replaced = control.record.replaced
    return [one for one in control.members if one.config.daemon == kind and one.name not in replaced]


def _ports(control: MarketControl) -> Ports:
    """The first free ones that no other daemon of the market has in its configuration."""
    configs = [one.config for one in control.members]
    metrics = {one.metrics_port for one in configs if one.metrics_port is not None}
    consoles = {
        one.console.port
        for one in configs
        if not isinstance(one, ChainListenerConfig) and one.console is not None
    }
    taken = metrics | consoles
    return Ports(
        free_ports(max(metrics, default=FIRST_METRICS_PORT), taken=taken).start,
        free_ports(max(consoles, default=FIRST_CONSOLE_PORT), taken=taken).start,
    )


def _hold(party: Party, file: Path) -> str:
    """The owner's rows in its catalogue, with a card as rows of strangers get it."""
    catalog = Catalog(party.folder / DATA_SETS)
    if any(entry.name == _DATA_SET for entry in catalog.list()):
        return f"{party.name} has its rows already"
    with columns_hint():
        entry = catalog.add(_DATA_SET, read_statistic(file), file)
    return f"{party.name} has {entry.rows} rows of {file}"


def _order(newcomer: Newcomer, party: Party, address: str) -> tuple[Path | None, str]:
    """A sample order for the market as it is now; None where there is none, and why."""
    record = MarketRecord.of(newcomer.folder)
    if newcomer.replaces is not None:
        replaced = tuple(dict.fromkeys((*record.replaced, newcomer.replaces)))
        record = record.model_copy(update={"replaced": replaced})
    buyer = newcomer.folder / "buyer"
    earlier, was_there = buyer / record.order, order_for(buyer, newcomer.name).exists()
    order, note = None, ""
    if newcomer.role == "federated_aggregator":
        order, note = renewed_order(earlier, newcomer.name, aggregator=address)
    elif newcomer.data is not None:
        card = Catalog(party.folder / DATA_SETS).card(_DATA_SET)
        order, note = renewed_order(earlier, newcomer.name, card=card)
    is_newest = order is not None and not was_there
    record.model_copy(update={"order": order.name if order and is_newest else record.order}).save()
    return order, note
