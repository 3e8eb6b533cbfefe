"""What a set-up keeps: keys, the number of owners, what columns are."""

import asyncio
import socket
from dataclasses import replace

import pytest

from services.admin import market_setup
from services.admin.market_documents import MarketPlan
from services.admin.market_folder import DATA_SETS, MarketFolder, Party
from services.admin.market_record import MarketRecord
from services.admin.market_servers import BrokerPorts, OwnServers
from services.admin.market_setup import SetUp, set_up
from services.admin.processes import alone
from services.chain.contract.registry import ContractRegistry
from services.chain.errors import ChainError
from services.common.documents import load_request
from services.common.errors import ConfigurationError
from services.common.files import private_folder
from services.data.catalog import Catalog
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, load_data
from services.identity.keystore import Cost
from tests.support.deployment.recorded import recorded_contract

CONTRACT = ContractRegistry(contracts=(recorded_contract(),)).model_dump_json()


@pytest.fixture
def parties(tmp_path):
    made = [Party(name, tmp_path / name, "data_owner") for name in ("rich", "poor")]
    for party in made:
        party.ensure_keys(Cost(2, 1, 8192))
    return made


async def test_keys_that_are_there_stay(parties):
    before = parties[0].address
    parties[0].ensure_keys(Cost(2, 1, 8192))
    assert parties[0].address == before
    assert parties[0].open_keys().identity.address == before


def test_a_folder_keeps_its_number_of_owners(tmp_path):
    (tmp_path / "owner-1").mkdir()
    assert len(MarketFolder.of(tmp_path, 5).owners) == 5, "an interrupted set-up goes on"
    (tmp_path / "owner-6").mkdir()
    with pytest.raises(ConfigurationError, match="--owners 2"):
        MarketFolder.of(tmp_path, 5)
    (tmp_path / "owner-6").rmdir()
    (tmp_path / "aggregator").mkdir()
    (tmp_path / "aggregator" / "config.yaml").touch()
    with pytest.raises(ConfigurationError, match="was made for 1 owners"):
        MarketFolder.of(tmp_path, 5)


async def test_a_set_up_that_is_interrupted_goes_no_further(tmp_path):
    told = []

    def interrupt(text):
        told.append(text)
        if text.startswith("keys of"):
            task.cancel()

    servers = {"chain_url": "http://node", "broker_url": "amqp://b", "management_url": "http://b"}
    plan = MarketPlan(tmp_path, **servers, administrator_password_file=tmp_path / "password")
    folder = MarketFolder.of(tmp_path, plan.owners)
    for party in (folder.deployer, *folder.participants):
        party.ensure_keys(Cost(2, 1, 8192))
    task = asyncio.create_task(set_up(plan, interrupt))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sum(text.startswith("keys of") for text in told) == 1


async def test_a_market_keeps_the_servers_of_its_own_that_it_works_on(tmp_path):
    ports = BrokerPorts(amqp=1, management=2, distribution=3, epmd=4)
    own = OwnServers(chain_port=5, broker=ports)
    urls = {"chain_url": own.chain_url, "broker_url": own.broker_url, "management_url": own.management_url}
    plan = MarketPlan(tmp_path, **urls, administrator_password_file=tmp_path / "password")
    MarketRecord(plan=plan, own=own).save()
    (tmp_path / "contracts.json").write_text(CONTRACT)
    (tmp_path / "broker.yaml").touch()
    others = {"broker_url": "amqp://broker", "management_url": "http://broker:15672"}
    for given, option in (({"chain_url": "http://node"}, "--chain"), (others, "--broker")):
        with pytest.raises(ConfigurationError, match=f"keeps it: leave out {option}, or"):
            await set_up(MarketPlan(tmp_path, **given), lambda _: None)
        assert MarketRecord.of(tmp_path).own == own, "nothing is changed"


def made_by_another_run(folder, **changes):
    """A market with keys, a contract and another's servers, as an earlier run left it."""
    servers = {"chain_url": "http://node", "broker_url": "amqp://b", "management_url": "http://b"}
    plan = MarketPlan(folder, **servers, administrator_password_file=folder / "password", **changes)
    MarketRecord(plan=plan).save()
    (folder / "contracts.json").write_text(CONTRACT)
    made = MarketFolder.of(folder, plan.owners)
    for party in (made.deployer, *made.participants):
        party.ensure_keys(Cost(2, 1, 8192))
    return plan


async def test_a_node_is_remembered_once_it_has_shown_the_markets_chain(tmp_path):
    before = made_by_another_run(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ChainError):
        await set_up(MarketPlan(tmp_path, chain_url=f"http://127.0.0.1:{port}"), lambda _: None)
    assert MarketRecord.of(tmp_path).plan.chain_url == before.chain_url


async def test_two_commands_do_not_set_one_market_up_at_once(tmp_path):
    plan = made_by_another_run(tmp_path)
    with alone(tmp_path), pytest.raises(ConfigurationError, match="another command works on"):
        await set_up(plan, lambda _: None)


def test_a_market_that_was_moved_names_its_files_where_they_are(tmp_path):
    plan = MarketPlan(tmp_path / "before", data=tmp_path / "rows.csv")
    own = tmp_path / "before" / "broker" / "administrator" / "password"
    record = MarketRecord(plan=replace(plan, administrator_password_file=own))
    (tmp_path / "before").mkdir()
    record.save()
    (tmp_path / "before").rename(tmp_path / "after")
    found = MarketRecord.of(tmp_path / "after").plan
    assert found.folder == tmp_path / "after"
    assert found.administrator_password_file == tmp_path / "after" / own.relative_to(tmp_path / "before")
    assert found.data == plan.data


def test_an_owner_whose_few_rows_do_not_show_what_a_column_is_has_its_data_set(tmp_path):
    """Of the answers most owners have yes and no alone, which by themselves would be truth values."""
    file = tmp_path / "rows.csv"
    answers = ["maybe", "maybe", *["yes", "no"] * 49]
    file.write_text("answer,x\n" + "".join(f"{answer},{n}\n" for n, answer in enumerate(answers)))
    data = load_data(DemoOptions(data=file, target="x", owners=10))
    owner, made = Party("owner-1", private_folder(tmp_path / "owner-1"), "data_owner"), SetUp(None, None)
    held = next(one for one in data_sets_of(data).values() if one.statistic.kept[0].levels == ("no", "yes"))
    market_setup._deal(owner, [data.columns, ["yes", 1.0], ["no", 2.0]], held, made)
    card = Catalog(owner.folder / DATA_SETS).card("rows")
    assert card.columns[0].vocabulary == ("maybe", "no", "yes")
    assert made.written == [owner.folder / "rows.csv"]


def test_the_sample_order_asks_for_the_kind_of_model_that_was_named(tmp_path, monkeypatch):
    monkeypatch.setattr("services.identity.keystore.Cost", lambda: Cost(2, 1, 8192))
    plan = MarketPlan(tmp_path / "market", kind="poisson_regression")
    folder = MarketFolder.of(private_folder(plan.folder), plan.owners)
    for party in folder.participants:
        private_folder(party.folder)
    folder.aggregator.ensure_keys()
    market_setup._deal_all(plan, market_setup._checked_data(plan), SetUp(folder, None))
    order = load_request(folder.buyer.folder / market_setup.REQUEST)
    assert order.model.kind == "poisson_regression"
    assert len(list(folder.path.glob("owner-*/rows.csv"))) == plan.owners
