"""Transactions as the chain has them: RLP, signed over their Keccak hash.

As eth-account makes them, which the tests compare with; to import that takes a second, of a pairing that no
transaction needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from eth_hash.auto import keccak

from protocol.signatures import sign_digest

Field = int | bytes

_WITH_TIP = b"\x02"
"""The type of EIP-1559's transactions, before their RLP."""
_NO_ACCESS_LIST: tuple[()] = ()
_FIRST_V, _FIRST_V_OF_CHAIN = 27, 35
"""Where the two values of v begin; of a transaction for one chain (EIP-155), less twice its number."""


class SignedTransaction(NamedTuple):
    """What is sent, and the hash under which nodes know it, both as bytes."""

    raw_transaction: bytes
    hash: bytes


def sign_with_tip(fields: Sequence[Field], signing_key: bytes) -> SignedTransaction:
    """An EIP-1559 transaction without an access list.

    `fields` are chain id, nonce, tip and most wei per gas, gas, recipient (20 bytes, or none to create a
    contract), value in wei, data.
    """
    unsigned = (*fields, _NO_ACCESS_LIST)
    signature = sign_digest(signing_key, keccak(_WITH_TIP + _rlp(unsigned)))
    parity = signature[-1] - _FIRST_V
    return _signed(_WITH_TIP + _rlp((*unsigned, parity, *_r_and_s(signature))))


def sign_legacy(chain_id: int, fields: Sequence[Field], signing_key: bytes) -> SignedTransaction:
    """A transaction of before EIP-1559, for the chain of this number alone (EIP-155).

    `fields` are nonce, wei per gas, gas, recipient, value, data, as of `sign_with_tip`.
    """
    signature = sign_digest(signing_key, keccak(_rlp((*fields, chain_id, 0, 0))))
    v = signature[-1] - _FIRST_V + _FIRST_V_OF_CHAIN + 2 * chain_id
    return _signed(_rlp((*fields, v, *_r_and_s(signature))))


def _r_and_s(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


def _signed(raw: bytes) -> SignedTransaction:
    return SignedTransaction(raw, keccak(raw))


def _rlp(fields: Sequence[Field | tuple[()]]) -> bytes:
    import rlp  # noqa: PLC0415  not for a command's help

    return bytes(rlp.encode(list(fields)))
