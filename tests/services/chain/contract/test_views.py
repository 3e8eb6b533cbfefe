"""Reading what a reorganisation can no longer take back."""

import pytest
from eth_abi.abi import encode

from protocol.accusations import SignedOpening
from protocol.errors import ProtocolViolation
from protocol.marketplace import Register
from services.chain.contract.views import MarketplaceViews, Owners
from services.chain.errors import CallReverted, ChainUnavailable, RpcError, WrongChain
from services.identity.directory import Directory
from tests.support.chain.interposed import Interposed

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
    await market.take_seat(market.owners[0], training)
    assert (await market.buyer.owners(training)).seats == (market.owners[0].address,)
    assert await final.owners(training) == Owners((), 0, 0)
    await market.rpc.call("anvil_mine", hex(DEPTH))
    assert (await final.owners(training)).seats == (market.owners[0].address,)


async def test_a_contract_younger_than_the_depth_is_waited_for(anvil_market) -> None:
    views = MarketplaceViews(anvil_market.rpc, anvil_market.deployment.market, depth=DEPTH)
    with pytest.raises(ChainUnavailable, match="3 blocks below the newest"):
        await views.role_of(anvil_market.buyer.address)


SOMEBODY = "0x" + "5b" * 20
_NUMBERS = ["uint32", *["uint16"] * 7, *["uint32"] * 3, "uint16", "uint8"]
TERMS_TYPES = f"(address,bytes32,{','.join(_NUMBERS)},address,uint128,uint128,uint128,address)"
NO_ROUNDS = (
    SOMEBODY,
    bytes(32),
    0,
    4,
    4,
    1,
    10_000,
    0,
    0,
    0,
    60,
    60,
    60,
    200,
    0,
    SOMEBODY,
    0,
    0,
    0,
    SOMEBODY,
)


@pytest.mark.parametrize("number", [6, 7, 255])
async def test_a_status_that_no_training_has_is_another_contracts(market, number) -> None:
    with pytest.raises(WrongChain, match=f"answers statusOf with {number}, which .* check the address"):
        await foreign(market, ["uint8"], [number]).status(1)


@pytest.mark.parametrize("number", [4, 255])
async def test_a_role_that_nobody_has_is_another_contracts(market, number) -> None:
    with pytest.raises(WrongChain, match=f"answers roleOf with {number}, which .* check the address"):
        await foreign(market, ["uint8"], [number]).role_of(SOMEBODY)


@pytest.mark.parametrize("steps", [4, 5, 2**256 - 1])
async def test_more_steps_than_a_check_has_are_another_contracts(market, steps) -> None:
    """A node that lies would have an accusation ask for no step, or for fewer than none."""
    opening = SignedOpening.of(1, 1, n=15, ciphertext=4, plaintext=1, root=2)
    assert opening.steps == 4
    types = ["uint256", "bytes32"]
    with pytest.raises(WrongChain, match=f"answers doubtOf with {steps} steps of 4, which"):
        await foreign(market, types, [steps, bytes(32)]).steps_done(opening)
    assert await foreign(market, types, [3, bytes(32)]).steps_done(opening) == 3


async def test_terms_that_no_training_was_opened_with_are_another_contracts(market) -> None:
    views = foreign(market, ["address", "uint256", TERMS_TYPES], [SOMEBODY, 5, NO_ROUNDS])
    with pytest.raises(WrongChain, match=r"answers termsOf with rounds: .* check the address"):
        await views.opening_of(1)


async def test_a_contract_cannot_send_us_to_a_url(market) -> None:
    """EIP-3668: web3.py's contracts would follow the revert `OffchainLookup` by themselves."""
    node = Interposed(market.rpc)

    async def refuse(_request, _block):
        raise RpcError("eth_call", 3, "reverted", bytes.fromhex("556f1830") + bytes(32))

    node.handlers["eth_call"] = refuse
    with pytest.raises(CallReverted, match="reverted"):
        await MarketplaceViews(node, market.deployment.market).status(1)


@pytest.mark.parametrize("answer", ["0x", "0x01", "0x" + "ff" * 32])
async def test_what_is_no_answer_of_a_view_is_no_contract_of_ours(market, answer) -> None:
    node = Interposed(market.rpc)

    async def answered(_request, _block):
        return answer

    node.handlers["eth_call"] = answered
    with pytest.raises(WrongChain, match="no contract of this market answers"):
        await MarketplaceViews(node, market.deployment.market).status(1)


def foreign(market, types, values) -> MarketplaceViews:
    """The views of a contract that answers every call with these values."""
    node = Interposed(market.rpc)

    async def answer(_request, _block):
        return "0x" + encode(types, values).hex()

    node.handlers["eth_call"] = answer
    return MarketplaceViews(node, market.deployment.market)
