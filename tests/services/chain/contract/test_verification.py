"""Code that is not the package's contract, or was made for another address or chain, is told apart."""

import pytest

from protocol.records import Market
from services.chain.contract.verification import contract_state, is_genuine
from services.chain.rpc.values import octets
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
