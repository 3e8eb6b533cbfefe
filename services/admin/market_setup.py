"""Setting up a whole market: keys, contract, broker, configurations, and rows dealt to its owners.

Everything may be repeated: what is there stays as it is, so an interrupted set-up is finished by running it
again, and a configuration that was edited is not overwritten.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from protocol.asset import ETHER
from protocol.data_set import DataSet
from services.admin.market_console import provide_console
from services.admin.market_database import check_server_url, provide_databases
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
from services.bus.broker.provisioning import apply_broker, load_plan
from services.chain.contract.deploy import Deployment, deploy
from services.chain.contract.verification import contract_state
from services.chain.errors import InsufficientFunds, RpcError, WrongChain
from services.chain.rpc.http import HttpRpc, Rpc
from services.chain.rpc.values import quantity
from services.common.errors import ConfigurationError
from services.common.files import private_folder, write_private
from services.common.urls import is_url
from services.data.catalog import Catalog
from services.data.row_reader import table_lines
from services.data.sample_request import (
    DemoData,
    DemoOptions,
    column_notes,
    data_sets_of,
    demo_request,
    load_data,
)

LEAST_OWNERS, MOST_OWNERS = 4, 64
_DEVELOPMENT_BALANCE = 100 * ETHER.whole
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


async def set_up(plan: MarketPlan, tell: Callable[[str], None]) -> SetUp:
    """Set up the market.

    Raises ConfigurationError or DataSetError before anything is made, ChainError and BusRefused or
    BusUnavailable from node and broker: then run it again when the cause is mended.
    """
    folder = MarketFolder.of(plan.folder.absolute(), plan.owners)
    data = _checked(plan)
    for line in column_notes(_demo_options(plan), data):
        tell(line)
    private_folder(folder.path)
    for party in (folder.deployer, *folder.participants):
        party.ensure_keys()
        tell(f"keys of {party.name}: {party.address}")
    async with HttpRpc(plan.chain_url) as rpc:
        await _check_confirmations(rpc, plan.confirmations)
        await _fund(rpc, (folder.deployer, *folder.participants))
        deployment = await _contract(rpc, folder)
    tell(f"contract {deployment.market.contract} on chain {deployment.market.chain_id}")
    made = SetUp(folder, deployment)
    for place in (*(party.folder for party in folder.participants), private_folder(folder.listener)):
        ensure_secret(place / BROKER_PASSWORD)
    made.write(folder.broker_plan, yaml_text(broker_document(plan, folder, deployment), _REMARK))
    differences = await apply_broker(load_plan(folder.broker_plan))
    tell(f"broker: {sum(difference.action != 'look' for difference in differences)} changes")
    _stores_and_consoles(plan, folder, tell)
    for path, document in daemon_documents(plan, folder, deployment):
        made.write(path, yaml_text(document, _REMARK))
    for owner, rows, held in zip(folder.owners, data.parts, data_sets_of(data).values(), strict=True):
        lines = [data.columns, *table_lines(rows, data.kinds)]
        _deal(owner, lines, held, made)
    request = demo_request(_demo_options(plan), data, folder.aggregator.address)
    update = {"name": "sample order", "deadlines": {"join_s": 300, "step_s": 300, "chain_s": 300}}
    order = yaml_text(request.model_dump(mode="json") | update, _ORDER_REMARK)
    made.write(folder.buyer.folder / REQUEST, order)
    tell(f"{sum(data.sizes)} rows dealt to {plan.owners} owners")
    return made


def _checked(plan: MarketPlan) -> DemoData:
    if not LEAST_OWNERS <= plan.owners <= MOST_OWNERS:
        raise ConfigurationError(
            f"{plan.owners} owners: give {LEAST_OWNERS} (two train, two validate) to {MOST_OWNERS}"
        )
    for name, value, schemes in (
        ("--chain", plan.chain_url, ("http", "https")),
        ("--broker", plan.broker_url, ("amqp", "amqps")),
        ("--broker-management", plan.management_url, ("http", "https")),
    ):
        if not is_url(value, schemes) or "@" in urlsplit(value).netloc:
            raise ConfigurationError(
                f"{name} must be a URL like {schemes[0]}://host:port, without user or password"
            )
    if urlsplit(plan.broker_url).path.strip("/"):
        raise ConfigurationError("--broker takes no path: name the virtual host with --vhost")
    if plan.postgresql_url is not None:
        check_server_url(plan.postgresql_url)
        if plan.postgresql_password_file is None:
            raise ConfigurationError(
                "--postgresql needs --postgresql-password-file, with its administrator's password"
            )
    data = load_data(_demo_options(plan))
    demo_request(_demo_options(plan), data, "0x" + "0" * 40)  # a column that does not vary is told now
    return data


def _demo_options(plan: MarketPlan) -> DemoOptions:
    return DemoOptions(
        owners=plan.owners, data=plan.data, target=plan.target, columns=plan.columns, seed=plan.seed
    )


def _stores_and_consoles(plan: MarketPlan, folder: MarketFolder, tell: Callable[[str], None]) -> None:
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


async def _check_confirmations(rpc: Rpc, confirmations: int) -> None:
    """A node that mines on demand alone adds no block on top of another: the daemons would wait for ever."""
    try:
        on_demand = bool(await rpc.call("anvil_getAutomine"))
    except RpcError:
        return  # not a development node: it mines by itself
    if on_demand and confirmations:
        raise ConfigurationError(
            f"the node mines on demand, so nothing gets {confirmations} confirmations: start it with "
            "--block-time 1, or give --confirmations 0"
        )


async def _fund(rpc: Rpc, parties: tuple[Party, ...]) -> None:
    """Give new accounts ether on a development node; elsewhere say which accounts need some."""
    poor = [
        party for party in parties if not quantity(await rpc.call("eth_getBalance", party.address, "latest"))
    ]
    try:
        for party in poor:
            await rpc.call("anvil_setBalance", party.address, hex(_DEVELOPMENT_BALANCE))
    except RpcError:
        names = "\n  ".join(f"{party.address}  {party.name}" for party in poor)
        raise InsufficientFunds(
            "these accounts pay for gas, the buyer's for deposits too; send each some ether, then run this "
            f"again:\n  {names}"
        ) from None


async def _contract(rpc: Rpc, folder: MarketFolder) -> Deployment:
    known = folder.deployment()
    if known is None:
        known = await deploy(rpc, folder.deployer.open_keys().identity.signing_key)
        folder.note_deployment(known)
        return known
    state = None
    with suppress(WrongChain):
        state = await contract_state(rpc, known.market.contract)
    if state is None or state.market != known.market or not state.genuine:
        raise WrongChain(
            f"the node's chain or contract is not the one in {folder.path / 'contract.yaml'}: check "
            "--chain; if the chain was reset, set up a new folder"
        )
    return known


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
