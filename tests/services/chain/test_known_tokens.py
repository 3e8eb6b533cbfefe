"""What a configuration says of a token is what it says itself on the own node, or no daemon starts."""

import pytest

from protocol.asset import Assets, token_asset
from services.chain.contract.tokens import deploy_test_token
from services.chain.errors import WrongChain
from services.chain.known_tokens import check_tokens
from services.chain.transactions.sender import Sender
from tests.support.chain.chain_market import POLICY

ETHER = 10**18
KEY = b"k" * 32


async def test_a_token_says_of_itself_what_is_configured(embedded) -> None:
    sender = Sender(embedded, KEY, int(await embedded.call("eth_chainId"), 16), POLICY)
    await embedded.call("anvil_setBalance", sender.address, hex(ETHER))
    token = await deploy_test_token(sender)
    await check_tokens(embedded, Assets({token: token_asset("TEST", 6)}))
    for asset, told in (
        (token_asset("TEST", 18), "has decimals 6, and tokens says 18"),
        (token_asset("USDC", 6), "has symbol TEST, and tokens says USDC"),
    ):
        with pytest.raises(WrongChain, match=told):
            await check_tokens(embedded, Assets({token: asset}))
    with pytest.raises(WrongChain, match="does not answer decimals"):
        await check_tokens(embedded, Assets({"0x" + "57" * 20: token_asset("TEST", 6)}))
