"""Putting the contract on a chain."""

from dataclasses import dataclass

from protocol.records import Market
from services.chain.contract.abi import creation_code
from services.chain.errors import ChainError
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import quantity
from services.chain.transactions.pending import SendPolicy
from services.chain.transactions.sender import Sender, TransactionReplaced


@dataclass(frozen=True, slots=True)
class Deployment:
    """The new market, the block it was created in (no event is older), and what that cost (`fee` in wei)."""

    market: Market
    block: int
    gas_used: int = 0
    fee: int = 0


async def deploy(rpc: Rpc, signing_key: bytes, policy: SendPolicy | None = None) -> Deployment:
    """Create the contract from the artifact that ships with the package, paid by `signing_key`'s account.

    Raises ChainError when the transaction fails, InsufficientFunds when the account cannot pay.
    """
    chain_id = quantity(await rpc.call("eth_chainId"))
    sender = Sender(rpc, signing_key, chain_id, policy)
    try:
        receipt = await sender.send(None, creation_code())
    except TransactionReplaced:
        raise ChainError(
            "another transaction of this key took the place of the contract's creation: let only one program "
            "use the key"
        ) from None
    if not receipt.succeeded or receipt.created is None:
        raise ChainError("the contract's creation failed on chain: is the artifact intact?")
    market = Market(chain_id=chain_id, contract=receipt.created.lower())
    return Deployment(market, receipt.block_number, receipt.gas_used, receipt.fee)
