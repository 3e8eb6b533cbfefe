"""Reading what a reorganisation can no longer take back."""

import pytest

from protocol.errors import ProtocolViolation
from protocol.marketplace import Join, Register
from services.chain.contract.views import MarketplaceViews, Owners
from services.chain.errors import ChainUnavailable
from services.identity.directory import Directory

DEPTH = 3


@pytest.fixture
async def final(anvil_market):
    await anvil_market.rpc.call("anvil_mine", hex(DEPTH))
    return MarketplaceViews(anvil_market.rpc, anvil_market.deployment.market, depth=DEPTH)


async def test_a_role_is_believed_once_no_reorganisation_can_take_it_back(anvil_market, final) -> None:
    market, directory = anvil_market, Directory(final)
    stranger = market.clients[2]
    for again in range(2):
        await stranger.submit(Register(role="data_owner", exchange_key=b"k" * 32))
        for _ in range(DEPTH):
            with pytest.raises(ProtocolViolation, match="not_registered"):
                await directory.role_of(stranger.address)
            with pytest.raises(ProtocolViolation, match="not_registered"):
                await directory.exchange_key_of(0, stranger.address)
            await market.rpc.call("evm_mine")
        if not again:
            await market.rpc.call("anvil_reorg", DEPTH + 1, [])
            with pytest.raises(ProtocolViolation, match="not_registered"):
                await directory.role_of(stranger.address)
    assert await directory.role_of(stranger.address) == "data_owner"
    assert await directory.exchange_key_of(0, stranger.address) == b"k" * 32


async def test_seats_are_read_once_final(anvil_market, final) -> None:
    market = anvil_market
    await market.register()
    training = await market.open()
    await market.owners[0].submit(Join(training=training))
    assert (await market.buyer.owners(training)).seats == (market.owners[0].address,)
    assert await final.owners(training) == Owners((), 0, 0)
    await market.rpc.call("anvil_mine", hex(DEPTH))
    assert (await final.owners(training)).seats == (market.owners[0].address,)


async def test_a_contract_younger_than_the_depth_is_waited_for(anvil_market) -> None:
    views = MarketplaceViews(anvil_market.rpc, anvil_market.deployment.market, depth=DEPTH)
    with pytest.raises(ChainUnavailable, match="3 blocks below the newest"):
        await views.role_of(anvil_market.buyer.address)
