"""What a market asks of the chain: funds, confirmations, and the contract that it knows."""

import pytest

from services.admin.market_chain import check_confirmations, contract_of, fund
from services.admin.market_folder import MarketFolder
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.errors import InsufficientFunds, RpcError, WrongChain
from services.common.errors import ConfigurationError
from tests.support.chain.chain_market import ChainMarket

RICH, POOR = "0x" + "12" * 20, "0x" + "34" * 20


class PublicNode:
    """A node that is not for development: it knows balances and refuses to make any."""

    def __init__(self, **balances):
        self.balances, self.asked = balances, []

    async def call(self, method, *parameters):
        self.asked.append(method)
        if method == "eth_getBalance":
            return hex(self.balances[parameters[0]])
        raise RpcError(method, -32601, "method not found")


async def test_accounts_without_ether_are_named():
    node = PublicNode(**{RICH: 1, POOR: 0})
    with pytest.raises(InsufficientFunds) as refused:
        await fund(node, {"rich": RICH, "poor": POOR})
    assert f"{POOR}  poor" in str(refused.value)
    assert RICH not in str(refused.value)


async def test_accounts_with_ether_are_left_alone():
    node = PublicNode(**{RICH: 1})
    await fund(node, {"rich": RICH})
    assert set(node.asked) == {"eth_getBalance"}


async def test_a_public_node_confirms_by_itself():
    await check_confirmations(PublicNode(), 12)


async def test_the_contract_of_the_first_run_is_used_again_and_no_other(market, tmp_path):
    folder = MarketFolder.of(tmp_path, 4)
    folder.note_deployment(market.deployment)
    found = await contract_of(market.rpc, folder)
    assert (found.market, found.block) == (market.deployment.market, market.deployment.block)
    (tmp_path / "contracts.json").write_text("chain_id: x\n")
    with pytest.raises(ConfigurationError, match="is no list of contracts"):
        await contract_of(market.rpc, folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"address": "0x" + "12" * 20}, "no contract at"),
        ({"chain_id": 7}, "the market is on chain 7"),
        ({"version": "1"}, "version is 2, and 1 is recorded"),
        ({"interface_id": "0x00000000"}, "interface_id is"),
        ({"code_hash": "0x" + "00" * 32}, "code_hash is"),
        ({"block": 0}, "in block 0 is recorded"),
    ],
    ids=lambda value: str(next(iter(value))) if isinstance(value, dict) else "",
)
async def test_a_record_that_is_of_another_contract_is_refused(market, tmp_path, change, told):
    folder = MarketFolder.of(tmp_path, 4)
    folder.note_deployment(market.deployment.model_copy(update=change))
    with pytest.raises(WrongChain, match=f"(?s)set up a new folder.*{told}"):
        await contract_of(market.rpc, folder)


async def test_no_second_contract_is_made_for_daemons_that_have_one(market, tmp_path):
    folder = MarketFolder.of(tmp_path, 4)
    folder.aggregator.folder.mkdir()
    (folder.aggregator.folder / "config.yaml").touch()
    with pytest.raises(ConfigurationError, match="is missing, and daemons are configured"):
        await contract_of(market.rpc, folder)


@pytest.fixture
async def market():
    rpc = EmbeddedRpc()
    yield await ChainMarket.create(rpc)
    await rpc.close()
