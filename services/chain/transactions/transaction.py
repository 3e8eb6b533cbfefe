"""EIP-1559 transactions: fields, signature, bytes."""

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from protocol.signatures import sign_digest

_TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per unit of gas: the most that is paid, and the tip to the block's builder within it."""

    most: int
    tip: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction before it is signed; `recipient` None creates a contract."""

    chain_id: int
    nonce: int
    recipient: str | None
    value: int
    data: bytes
    gas: int
    fees: Fees

    def sign(self, signing_key: bytes) -> bytes:
        """The raw bytes for eth_sendRawTransaction (EIP-1559, EIP-2718)."""
        fields = [
            self.chain_id,
            self.nonce,
            self.fees.tip,
            self.fees.most,
            self.gas,
            bytes.fromhex(self.recipient[2:]) if self.recipient else b"",
            self.value,
            self.data,
            [],
        ]
        signature = sign_digest(signing_key, keccak(_TYPE + bytes(rlp.encode(fields))))
        parity = signature[64] - 27
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        return _TYPE + bytes(rlp.encode([*fields, parity, r, s]))


def transaction_hash(raw: bytes) -> bytes:
    """The hash under which a node knows these raw bytes."""
    return keccak(raw)
