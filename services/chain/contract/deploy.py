"""Putting the contract on a chain."""

from protocol.records import Market
from services.chain.contract.abi import creation_code
from services.chain.contract.registry import Deployment
from services.chain.contract.verification import read_back
from services.chain.errors import ChainError
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import quantity
from services.chain.transactions.pending import Receipt, SendPolicy
from services.chain.transactions.sender import Sender, TransactionReplaced


async def deploy(rpc: Rpc, signing_key: bytes, policy: SendPolicy | None = None) -> Deployment:
    """As `create`, without what it cost."""
    deployment, _receipt = await create(rpc, signing_key, policy)
    return deployment


async def create(
    rpc: Rpc, signing_key: bytes, policy: SendPolicy | None = None
) -> tuple[Deployment, Receipt]:
    """Create the contract from the artifact that ships with the package, paid by `signing_key`'s account.

    What stands there then is read back. Raises ChainError when the transaction fails, InsufficientFunds when
    the account cannot pay, WrongChain when the node shows other code than was sent.
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
    return await read_back(rpc, market, receipt.block_number, receipt.transaction_hash), receipt
