"""The contract as web3.py has it: an oracle for our call data, answers and events."""

from functools import cache

from web3 import AsyncWeb3
from web3.contract import AsyncContract
from web3.providers.async_base import AsyncBaseProvider

from services.chain.contract.abi import marketplace_artifact, token_artifact


@cache
def web3_contract() -> type[AsyncContract]:
    """The market's, without a node or an address."""
    return AsyncWeb3(AsyncBaseProvider()).eth.contract(abi=marketplace_artifact()["abi"])


@cache
def web3_token() -> type[AsyncContract]:
    """As `web3_contract`, of the test token."""
    return AsyncWeb3(AsyncBaseProvider()).eth.contract(abi=token_artifact()["abi"])
