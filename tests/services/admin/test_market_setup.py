"""What a set-up asks of the chain: funds, confirmations, and the contract that it knows."""

import pytest

from protocol.records import Market
from services.admin import market_setup
from services.admin.market_folder import DATA_SETS, MarketFolder, Party
from services.admin.market_setup import SetUp
from services.chain.contract.deploy import Deployment
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.errors import InsufficientFunds, RpcError, WrongChain
from services.common.errors import ConfigurationError
from services.common.files import private_folder
from services.data.catalog import Catalog
from services.data.sample_request import DemoOptions, data_sets_of, load_data
from services.identity.keystore import Cost
from tests.support.chain.chain_market import ChainMarket


class PublicNode:
    """A node that is not for development: it knows balances and refuses to make any."""

    def __init__(self, **balances):
        self.balances, self.asked = balances, []

    async def call(self, method, *parameters):
        self.asked.append(method)
        if method == "eth_getBalance":
            return hex(self.balances[parameters[0]])
        raise RpcError(method, -32601, "method not found")


@pytest.fixture
def parties(tmp_path):
    made = [Party(name, tmp_path / name, "data_owner") for name in ("rich", "poor")]
    for party in made:
        party.ensure_keys(Cost(2, 1, 8192))
    return made


async def test_accounts_without_ether_are_named(parties):
    rich, poor = parties
    node = PublicNode(**{rich.address: 1, poor.address: 0})
    with pytest.raises(InsufficientFunds) as refused:
        await market_setup._fund(node, tuple(parties))
    assert f"{poor.address}  poor" in str(refused.value)
    assert rich.address not in str(refused.value)


async def test_accounts_with_ether_are_left_alone(parties):
    node = PublicNode(**{party.address: 1 for party in parties})
    await market_setup._fund(node, tuple(parties))
    assert set(node.asked) == {"eth_getBalance"}


async def test_a_public_node_confirms_by_itself():
    await market_setup._check_confirmations(PublicNode(), 12)


async def test_keys_that_are_there_stay(parties):
    before = parties[0].address
    parties[0].ensure_keys(Cost(2, 1, 8192))
    assert parties[0].address == before
    assert parties[0].open_keys().identity.address == before


async def test_the_contract_of_the_first_run_is_used_again_and_no_other(market, tmp_path):
    folder = MarketFolder.of(tmp_path, 4)
    folder.note_deployment(market.deployment)
    found = await market_setup._contract(market.rpc, folder)
    assert (found.market, found.block) == (market.deployment.market, market.deployment.block)
    elsewhere = Market(chain_id=found.market.chain_id, contract="0x" + "12" * 20)
    folder.note_deployment(Deployment(elsewhere, 1))
    with pytest.raises(WrongChain, match="set up a new folder"):
        await market_setup._contract(market.rpc, folder)
    folder.note_deployment(Deployment(Market(chain_id=7, contract=found.market.contract), 1))
    with pytest.raises(WrongChain, match="set up a new folder"):
        await market_setup._contract(market.rpc, folder)
    (tmp_path / "contract.yaml").write_text("chain_id: x\n")
    with pytest.raises(ConfigurationError, match="is damaged"):
        await market_setup._contract(market.rpc, folder)


@pytest.fixture
async def market():
    rpc = EmbeddedRpc()
    yield await ChainMarket.create(rpc)
    await rpc.close()


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
