"""ERC-20 tokens: what one says of itself, whose it is, and what is allowed to the market's contract.

A token is a stranger's contract: what it answers is bounded, and believed of this token alone.
"""

from dataclasses import dataclass
from typing import Any

from protocol.asset import token_asset
from protocol.terms import Token
from services.chain.contract.abi import creation_code, token_artifact, token_codec
from services.chain.errors import ChainError, RpcError, WrongChain
from services.chain.rpc.http import Rpc, is_revert
from services.chain.rpc.values import octets
from services.chain.transactions.sender import Sender

TEST_TOKEN = token_asset("TEST", 6)
"""The test token's, as contracts/src/TestToken.sol has it."""

_WORD = 32
_MOST_TEXT = 1_000
"""Bytes of a name that a token may give itself, with its length."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a token says of itself: how figures of it are written, and in how many decimals."""

    symbol: str
    decimals: int


async def token_facts(rpc: Rpc, token: Token) -> TokenFacts:
    """Symbol and decimals. Raises WrongChain where no token is that answers so."""
    decimals = await _number(rpc, token, "decimals")
    return TokenFacts(_text(await _answer(rpc, token, "symbol")), decimals)


async def balance_of(rpc: Rpc, token: Token, account: str) -> int:
    """Smallest units that an account has. Raises WrongChain where no token is."""
    return await _number(rpc, token, "balanceOf", account)


async def allowance(rpc: Rpc, token: Token, account: str, spender: str) -> int:
    """Smallest units that `spender` may take from an account. Raises WrongChain where no token is."""
    return await _number(rpc, token, "allowance", account, spender)


def approval(spender: str, amount: int) -> bytes:
    """Call data that allow `spender` so many smallest units of the caller's, and no more."""
    return _call("approve", spender, amount)


def minting(account: str, amount: int) -> bytes:
    """Call data for the test token alone, which makes new units for an account."""
    return _call("mint", account, amount)


async def deploy_test_token(sender: Sender) -> Token:
    """Put the test token on a chain, at `sender`'s cost. Raises ChainError where its creation fails."""
    receipt = await sender.send(None, creation_code(token_artifact()))
    if not receipt.succeeded or receipt.created is None:
        raise ChainError("the test token's creation failed on chain: is the artifact intact?")
    return receipt.created.lower()


def _call(name: str, *arguments: Any) -> bytes:
    words = [bytes.fromhex(word[2:]) if isinstance(word, str) else word for word in arguments]
    return bytes.fromhex(token_codec().encode_abi(name, words)[2:])


async def _number(rpc: Rpc, token: Token, name: str, *arguments: str) -> int:
    answer = await _answer(rpc, token, name, *arguments)
    if len(answer) != _WORD:
        raise _no_token(token, name)
    return int.from_bytes(answer, "big")


async def _answer(rpc: Rpc, token: Token, name: str, *arguments: str) -> bytes:
    request = {"to": token, "data": "0x" + _call(name, *arguments).hex()}
    try:
        answer = octets(await rpc.call("eth_call", request, "latest"))
    except RpcError as error:
        if is_revert(error):
            raise _no_token(token, name) from None
        raise
    if not answer:
        raise _no_token(token, name)
    return answer


def _text(answer: bytes) -> str:
    """A string, as the standard says, or a word of 32 bytes, as the oldest tokens give it."""
    if len(answer) > _WORD:
        length = int.from_bytes(answer[_WORD : 2 * _WORD], "big")
        answer = answer[2 * _WORD :][: min(length, _MOST_TEXT)]
    return answer.rstrip(b"\0").decode(errors="replace")


def _no_token(token: Token, name: str) -> WrongChain:
    return WrongChain(
        f"the contract at {token} does not answer {name}() as an ERC-20 token: check the address"
    )
