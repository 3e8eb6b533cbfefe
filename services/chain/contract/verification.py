"""Whether the code at an address is the contract that ships with this package, and what it holds."""

import re
from dataclasses import dataclass

from eth_hash.auto import keccak

from protocol.records import Market
from protocol.terms import NATIVE, Token
from services.chain.contract.abi import creation_code, marketplace_artifact
from services.chain.contract.views import MarketplaceViews
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import octets, quantity

_WORD = 32
_NAME, _VERSION = b"DeltaML Marketplace", b"2"
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
    await views.check_deployment()
    code = octets(await rpc.call("eth_getCode", contract, "latest"))
    genuine = is_genuine(code, market) and await _has_created(rpc, market)
    escrow = await views.total_escrow(token) if genuine else 0
    bonds = await views.total_bonds(token) if genuine else 0
    held = await views.balance_of(contract, token) if genuine else 0
    return ContractState(market, genuine, keccak(code), escrow, bonds, held, token)


def is_genuine(code: bytes, market: Market) -> bool:
    """Whether runtime code is the artifact's, with the immutables that this address and chain give.

    OpenZeppelin's EIP712 keeps seven immutables, each of which must be there once, and the address of the
    contract that checks terms and openings must be there for either. Their places are the compiler's.
    """
    runtime = creation_code().removesuffix(_creates())[-marketplace_artifact()["runtime_bytes"] :]
    between = map(re.escape, runtime.split(_PUSH32 + bytes(_WORD)))
    match = re.fullmatch((_PUSH32 + b"(.{%d})" % _WORD).join(between), code, re.DOTALL)
    return match is not None and sorted(match.groups()) == sorted(_immutables(market))


def _immutables(market: Market) -> list[bytes]:
    return [
        market.domain_separator(),
        market.chain_id.to_bytes(_WORD, "big"),
        bytes.fromhex(market.contract[2:]).rjust(_WORD, b"\0"),
        keccak(_NAME),
        keccak(_VERSION),
        _short_string(_NAME),
        _short_string(_VERSION),
        *[bytes.fromhex(created_by(market.contract)[2:]).rjust(_WORD, b"\0")] * 2,
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
