"""Setting up a whole market: keys, servers, contract, broker, configurations, and rows dealt to its owners.

Everything may be repeated: what is there stays as it is, so an interrupted set-up is finished by running it
again, and a configuration that was edited is not overwritten.
"""

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from protocol.data_set import DataSet
from protocol.request_sections import Deadlines
from protocol.roles.rounds.requests import check_checkable
from protocol.types import ZERO_ADDRESS
from services.admin.market_broker import provision
from services.admin.market_chain import check_confirmations, contract_of, fund
from services.admin.market_console import provide_console
from services.admin.market_control import MarketControl, Tell
from services.admin.market_database import provide_databases
from services.admin.market_documents import MarketPlan, broker_document, daemon_documents, database_of
from services.admin.market_folder import (
    BROKER_PASSWORD,
    DATA_SETS,
    REQUEST,
    STORE_PASSWORD,
    MarketFolder,
    Party,
    ensure_secret,
    yaml_text,
)
from services.admin.market_plan import check_plan, recorded, require_own_servers
from services.admin.market_record import MarketRecord
from services.admin.processes import alone
from services.bus.broker.provisioning import BrokerPlan, load_plan
from services.chain.contract.registry import Deployment
from services.chain.rpc.http import HttpRpc
from services.common.errors import ConfigurationError
from services.common.files import private_folder, write_private
from services.config.settings import FOLDER
from services.data.catalog import Catalog
from services.data.dealt_rows import data_sets_of
from services.data.row_reader import table_lines
from services.data.sample_request import DemoData, DemoOptions, column_notes, demo_request, load_data

_REMARK = "Made by deltaml admin market init; deploy/config explains every field."
_ORDER_REMARK = (
    "A sample order: deltaml train request.yaml --config config.yaml; REQUEST.yaml explains the fields."
)
_DATA_SET = "rows"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was set up; files that were there already are kept."""

    folder: MarketFolder
    deployment: Deployment
    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file, readable by its owner alone, unless it is there."""
        if path.exists():
            self.kept.append(path)
        else:
            write_private(path, content)
            self.written.append(path)


async def set_up(plan: MarketPlan, tell: Tell) -> SetUp:
    """Set up the market; servers of its own are started and run on.

    Raises ConfigurationError or DataSetError before anything is made, ChainError and BusRefused or
    BusUnavailable from node and broker: then run it again when the cause is mended. Raises ConfigurationError
    while another command works on the folder as well.
    """
    plan = replace(plan, folder=plan.folder.absolute())
    known = MarketRecord.find(plan.folder)
    if known is None:
        check_plan(plan)
    record = recorded(plan, known)
    check_plan(record.plan)
    folder = MarketFolder.of(plan.folder, record.plan.owners, record.added)
    if known is not None:
        require_own_servers(known, record, folder)
    data = _checked_data(record.plan)
    for line in column_notes(_demo_options(record.plan), data):
        tell(line)
    with alone(private_folder(folder.path)):
        if MarketRecord.find(folder.path) != known:
            raise ConfigurationError(f"another command has just set {folder.path} up: run this again")
        return await _made(record, known, folder, data, tell)


async def _made(
    record: MarketRecord, known: MarketRecord | None, folder: MarketFolder, data: DemoData, tell: Tell
) -> SetUp:
    if known is None or known.own != record.own:
        # A virtual host that turns out to be another's is not remembered, nor a node before it has answered.
        record.with_plan(virtual_host=known.plan.virtual_host if known else "").save()
    for party in (folder.deployer, *folder.participants):
        await asyncio.to_thread(party.ensure_keys)  # Ctrl-C ends it before the next
        tell(f"keys of {party.name}: {party.address}")
    await asyncio.to_thread(MarketControl(folder.path).begin_servers, tell)
    made = SetUp(folder, await _deployed(record.plan, folder))
    tell(f"contract {made.deployment.market.contract} on chain {made.deployment.market.chain_id}")
    record = await _provisioned(record, made, tell)
    _stores_and_consoles(record.plan, folder, tell)
    for path, document in daemon_documents(record.plan, folder, made.deployment):
        made.write(path, yaml_text(document, _REMARK))
    _deal_all(record.plan, data, made)
    tell(f"{sum(data.sizes)} rows dealt to {record.plan.owners} owners")
    return made


def _checked_data(plan: MarketPlan) -> DemoData:
    options = _demo_options(plan)
    data = load_data(options)
    request = demo_request(options, data, ZERO_ADDRESS)  # a column that does not vary is told now
    check_checkable(request)
    return data


async def _deployed(plan: MarketPlan, folder: MarketFolder) -> Deployment:
    async with HttpRpc(plan.chain_url) as rpc:
        await check_confirmations(rpc, plan.confirmations)
        await fund(rpc, {one.name: one.address for one in (folder.deployer, *folder.participants)})
        return await contract_of(rpc, folder)


async def _provisioned(record: MarketRecord, made: SetUp, tell: Tell) -> MarketRecord:
    """The broker made as the market needs it; the record has its virtual host from then on."""
    folder = made.folder
    for place in (*(party.folder for party in folder.participants), private_folder(folder.listener)):
        ensure_secret(place / BROKER_PASSWORD)
    if folder.broker_plan.exists():
        broker, text = load_plan(folder.broker_plan), b""
    else:
        own = f"deltaml-{made.deployment.market.contract[2:10]}"
        plan = replace(record.plan, virtual_host=record.plan.virtual_host or own)
        document = broker_document(plan, folder, made.deployment)
        broker = BrokerPlan.model_validate(document, context={FOLDER: folder.path})
        text = yaml_text(document, _REMARK)
    changes = await provision(broker)
    made.write(folder.broker_plan, text)
    tell(f"broker: {changes} changes in virtual host {broker.vhost}")
    record = record.with_plan(virtual_host=broker.vhost)
    record.save()
    return record


def _demo_options(plan: MarketPlan) -> DemoOptions:
    return DemoOptions(
        kind=plan.kind,
        owners=plan.owners,
        data=plan.data,
        target=plan.target,
        targets=plan.targets,
        level=plan.level,
        inference=plan.inference,
        columns=plan.columns,
        event=plan.event,
        seed=plan.seed,
    )


def _stores_and_consoles(plan: MarketPlan, folder: MarketFolder, tell: Tell) -> None:
    if plan.postgresql_url is not None and plan.postgresql_password_file is not None:
        places = [folder.listener, *(party.folder for party in folder.participants)]
        for place in places:
            ensure_secret(place / STORE_PASSWORD)
        wanted = [(database_of(plan, place.name), place / STORE_PASSWORD) for place in places]
        made = provide_databases(plan.postgresql_url, plan.postgresql_password_file, wanted)
        tell(f"PostgreSQL: {made} databases made, {len(places) - made} there already")
    if plan.console_port is not None:
        for party in folder.participants:
            provide_console(party.folder, plan.console_host)


def _deal_all(plan: MarketPlan, data: DemoData, made: SetUp) -> None:
    """Rows for every owner, and a sample order that asks for them."""
    folder = made.folder
    for owner, rows, held in zip(folder.owners, data.parts, data_sets_of(data).values(), strict=True):
        lines = [data.columns, *table_lines(rows, data.kinds)]
        _deal(owner, lines, held, made)
    request = demo_request(_demo_options(plan), data, folder.aggregator.address)
    deadlines = dict.fromkeys(Deadlines.model_fields, 300)
    update = {"name": "sample order", "deadlines": deadlines}
    order = yaml_text(request.model_dump(mode="json") | update, _ORDER_REMARK)
    made.write(folder.buyer.folder / REQUEST, order)


def _deal(owner: Party, lines: Iterable[Sequence[object]], held: DataSet, made: SetUp) -> None:
    """The owner's rows as a file of its own, and in its catalogue.

    The file is not read again: what its columns are may not show in a few of the rows.
    """
    path = owner.folder / f"{_DATA_SET}.csv"
    catalog = Catalog(owner.folder / DATA_SETS)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    made.write(path, text.getvalue().encode())
    if not any(entry.name == _DATA_SET for entry in catalog.list()):
        card = held.card.model_copy(update={"name": _DATA_SET})
        catalog.add(_DATA_SET, held.statistic, path, card=card, declared=held.declared)
