"""Whether the code at an address is the contract that ships with this package, and what it holds."""

import re
from dataclasses import dataclass

from eth_hash.auto import keccak

from protocol.records import Market
from protocol.terms import NATIVE, Token
from services.chain.contract.abi import creation_code, interface_id, marketplace_artifact
from services.chain.contract.registry import Deployment
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import WrongChain
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import entry, octets, quantity
from services.chain.transactions.pending import Receipt

_WORD = 32
_NAME, _VERSION = b"DeltaML Marketplace", b"2"
_OTHER_RECORD = "the record is of another contract or chain, or was changed; put the right one in its place"
_PUSH32 = b"\x7f"
"""Before 32 zeros: where the creation code leaves room for an immutable. Plain zeros are shorter opcodes."""


@dataclass(frozen=True, slots=True)
class ContractState:
    """What stands at an address; `held` is its balance of `token`, of it `escrow` for running trainings.

    `bonds` are those that are neither lost nor released.
    """

    market: Market
    genuine: bool
    code_hash: bytes
    escrow: int
    bonds: int
    held: int
    token: Token = NATIVE


async def contract_state(rpc: Rpc, contract: str, token: Token = NATIVE) -> ContractState:
    """Compare the code and read the totals of a token, in its smallest units.

    Raises WrongChain where there is no contract, or no token.

    Totals of a contract that is not genuine are what it claims; a foreign contract without the view raises
    WrongChain or CallReverted, so they are read for genuine ones alone and are 0 else.
    """
    market = Market(chain_id=quantity(await rpc.call("eth_chainId")), contract=contract)
    views = MarketplaceViews(rpc, market)
    code = await views.check_deployment()
    genuine = is_genuine(code, market) and await _has_created(rpc, market)
    escrow = await views.total_escrow(token) if genuine else 0
    bonds = await views.total_bonds(token) if genuine else 0
    held = await views.balance_of(contract, token) if genuine else 0
    return ContractState(market, genuine, keccak(code), escrow, bonds, held, token)


async def check_contract(views: MarketplaceViews) -> bytes:
    """The code of the market's contract, which is that of this package.

    Raises WrongChain for any other, or none; ChainUnavailable for a node that has not reached its block.
    """
    code = await views.check_deployment()
    if not (is_genuine(code, views.market) and await _has_created(views.rpc, views.market)):
        raise WrongChain(
            f"the code at {views.market.contract} on chain {views.market.chain_id} is not this version's "
            "contract: check the address (chain.contract); if it is right, use the version of deltaml that "
            "the contract was deployed with"
        )
    return code


async def read_back(rpc: Rpc, market: Market, block: int, transaction: bytes) -> Deployment:
    """What stands at a contract's address, as a registry keeps it. Raises WrongChain as `check_contract`."""
    views = MarketplaceViews(rpc, market, first_block=block)
    code = await check_contract(views)
    if not await views.supports_interface(interface_id()):
        raise WrongChain(f"{market.contract} denies its interface 0x{interface_id().hex()}: check the node")
    return Deployment(
        chain_id=market.chain_id,
        address=market.contract,
        version=await views.version(),
        interface_id=f"0x{interface_id().hex()}",
        code_hash=f"0x{keccak(code).hex()}",
        block=block,
        transaction=f"0x{transaction.hex()}",
    )


async def check_recorded(rpc: Rpc, recorded: Deployment) -> None:
    """Compare what a registry tells of a contract with the chain, and both with this package.

    Raises WrongChain naming the first difference, or a transaction that the node does not know: by what code
    the contract was made would be unknown. ChainUnavailable for a node that has not got so far.
    """
    transaction = bytes.fromhex(recorded.transaction[2:])
    there = await read_back(rpc, recorded.market, recorded.block, transaction)
    for name, told in recorded.model_dump().items():
        if (found := getattr(there, name)) != told:
            raise WrongChain(
                f"{recorded.address}: {name} is {found}, and {told} is recorded: {_OTHER_RECORD}"
            )
    answer = await rpc.call("eth_getTransactionReceipt", recorded.transaction)
    if answer is None:
        raise _unknown(recorded)
    receipt = Receipt.of(entry(answer), 0)
    if (receipt.block_number, receipt.created) != (recorded.block, recorded.address):
        raise WrongChain(
            f"transaction {recorded.transaction} made {receipt.created} in block {receipt.block_number}, and "
            f"{recorded.address} in block {recorded.block} is recorded: {_OTHER_RECORD}"
        )
    await _check_creation(rpc, recorded)


async def _check_creation(rpc: Rpc, recorded: Deployment) -> None:
    """Compare what the transaction ran with the package's creation code.

    Another constructor can leave the same code behind, and credits in its storage that nobody has earned.
    """
    made = await rpc.call("eth_getTransactionByHash", recorded.transaction)
    if made is None:
        raise _unknown(recorded)
    if octets(entry(made).get("input")) != creation_code():
        raise WrongChain(
            f"transaction {recorded.transaction} made {recorded.address} by other code than this package's, "
            "and what that wrote into its storage is unknown: use another contract"
        )


def _unknown(recorded: Deployment) -> WrongChain:
    return WrongChain(
        f"the node knows no transaction {recorded.transaction}, by which {recorded.address} is recorded, so "
        "nobody can say what its constructor has written into its storage: ask a node that keeps the "
        f"transactions of block {recorded.block}; if it does not know it either, {_OTHER_RECORD}"
    )


def is_genuine(code: bytes, market: Market) -> bool:
    """Whether runtime code is the artifact's, with the immutables that this address and chain give.

    OpenZeppelin's EIP712 keeps seven immutables, each of which must be there once, and the address of the
    contract that checks terms and openings and deals out folds must be there for each. Their places are the
    compiler's.
    """
    runtime = creation_code().removesuffix(_creates())[-marketplace_artifact()["runtime_bytes"] :]
    blank, immutables = bytearray(code), []
    for place in re.finditer(re.escape(_PUSH32 + bytes(_WORD)), runtime):
        word = slice(place.end() - _WORD, place.end())
        immutables.append(bytes(blank[word]))
        blank[word] = bytes(_WORD)
    return blank == runtime and sorted(immutables) == sorted(_immutables(market))


def _immutables(market: Market) -> list[bytes]:
    return [
        market.domain_separator(),
        market.chain_id.to_bytes(_WORD, "big"),
        bytes.fromhex(market.contract[2:]).rjust(_WORD, b"\0"),
        keccak(_NAME),
        keccak(_VERSION),
        _short_string(_NAME),
        _short_string(_VERSION),
        *[bytes.fromhex(created_by(market.contract)[2:]).rjust(_WORD, b"\0")] * 3,
    ]


def created_by(contract: str) -> str:
    """The address of the first contract that a contract creates: its constructor's, by EIP-161 of nonce 1."""
    rlp = b"\xd6\x94" + bytes.fromhex(contract[2:]) + b"\x01"
    return "0x" + keccak(rlp)[-20:].hex()


async def _has_created(rpc: Rpc, market: Market) -> bool:
    """Whether what checks terms and openings is ours: another constructor could have created another."""
    code = octets(await rpc.call("eth_getCode", created_by(market.contract), "latest"))
    return code == _creates()[-marketplace_artifact()["created"]["runtime_bytes"] :]


def _creates() -> bytes:
    """The code that creates it, which stands behind all other in that of the market."""
    return creation_code(marketplace_artifact()["created"])


def _short_string(text: bytes) -> bytes:
    """OpenZeppelin's ShortStrings: the text from the left, its length in the last byte."""
    return text.ljust(_WORD - 1, b"\0") + bytes([len(text)])
