"""Code that is not the package's contract, or was made for another address or chain, is told apart."""

import pytest
from eth_hash.auto import keccak

from protocol.records import Market
from services.chain.contract.abi import interface_id
from services.chain.contract.deploy import deploy
from services.chain.contract.verification import check_contract, check_recorded, contract_state, is_genuine
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import WrongChain
from services.chain.rpc.values import octets
from tests.support.chain.chain_market import POLICY
from tests.support.chain.interposed import Interposed


@pytest.fixture
async def code(market):
    return octets(await market.rpc.call("eth_getCode", market.deployment.market.contract, "latest"))


async def test_our_contract_is_genuine_on_its_chain_at_its_address_alone(market, code):
    here = market.deployment.market
    assert is_genuine(code, here)
    assert not is_genuine(code, Market(chain_id=here.chain_id + 1, contract=here.contract))
    assert not is_genuine(code, Market(chain_id=here.chain_id, contract="0x" + "12" * 20))


async def test_every_single_changed_byte_is_noticed(market, code):
    for place in range(0, len(code), 97):
        changed = bytearray(code)
        changed[place] ^= 0xFF
        assert not is_genuine(bytes(changed), market.deployment.market), place


async def test_immutables_are_compared_too(market, code):
    place = code.index(market.deployment.market.domain_separator())
    changed = bytearray(code)
    changed[place : place + 32] = bytes(32)
    assert not is_genuine(bytes(changed), market.deployment.market)
    assert not is_genuine(code[:-1], market.deployment.market)
    assert not is_genuine(code + b"\0", market.deployment.market)


async def test_a_deployment_is_recorded_as_the_chain_has_it(market, code):
    made = market.deployment
    assert made.code_hash == f"0x{keccak(code).hex()}"
    assert bytes.fromhex(made.interface_id[2:]) == interface_id()
    assert not await MarketplaceViews(market.rpc, made.market).supports_interface(b"\xff" * 4)
    await check_recorded(market.rpc, made)


async def test_a_record_with_the_transaction_of_another_contract_is_refused(market):
    other = await deploy(market.rpc, next(iter(market.keys.values())), POLICY)
    wrong = market.deployment.model_copy(update={"transaction": other.transaction})
    with pytest.raises(WrongChain, match=f"made {other.address} in block"):
        await check_recorded(market.rpc, wrong)


async def test_a_record_with_a_transaction_that_nobody_knows_is_refused(market):
    """Else a contract with a constructor of its own passes with a made-up transaction."""
    unknown = market.deployment.model_copy(update={"transaction": "0x" + "00" * 32})
    with pytest.raises(WrongChain, match=r"knows no transaction 0x00.* ask a node that keeps .* of block"):
        await check_recorded(market.rpc, unknown)


async def test_a_node_that_has_the_receipt_and_not_the_transaction_does_not_bear_a_record_out(market):
    node = Interposed(market.rpc)

    async def nothing(_transaction):
        return None

    node.handlers["eth_getTransactionByHash"] = nothing
    with pytest.raises(WrongChain, match="knows no transaction"):
        await check_recorded(node, market.deployment)


async def test_a_contract_that_another_constructor_made_is_refused(market):
    """It leaves the same code behind, and whatever it likes in the storage."""
    node = Interposed(market.rpc)

    async def other_constructor(transaction):
        found = await market.rpc.call("eth_getTransactionByHash", transaction)
        return found | {"input": "0x6001600255" + found["input"][2:]}

    await check_recorded(node, market.deployment)
    node.handlers["eth_getTransactionByHash"] = other_constructor
    with pytest.raises(WrongChain, match="by other code than this package's"):
        await check_recorded(node, market.deployment)


async def test_code_that_is_not_the_packages_is_refused(anvil_market):
    views = MarketplaceViews(anvil_market.rpc, anvil_market.deployment.market)
    await check_contract(views)
    await anvil_market.rpc.call("anvil_setCode", anvil_market.deployment.address, "0x00")
    with pytest.raises(WrongChain, match="is not this version's contract"):
        await check_contract(views)


async def test_the_contract_that_checks_openings_is_compared_too(market):
    here = market.deployment.market
    node = Interposed(market.rpc)

    async def other_code(address, block):
        code = await market.rpc.call("eth_getCode", address, block)
        return code if address == here.contract else code[:-2] + "00"

    assert (await contract_state(market.rpc, here.contract)).genuine
    node.handlers["eth_getCode"] = other_code
    assert not (await contract_state(node, here.contract)).genuine


async def test_totals_are_told(registered):
    await registered.open()
    state = await contract_state(registered.rpc, registered.deployment.market.contract)
    assert state.genuine
    assert state.escrow == state.held == registered.opening().deposit
    assert state.bonds == 0
