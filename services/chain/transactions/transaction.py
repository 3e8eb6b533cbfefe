"""EIP-1559 transactions, signed by eth-account."""

from dataclasses import dataclass

from eth_hash.auto import keccak


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per unit of gas: the most that is paid, and the tip to the block's builder within it."""

    most: int
    tip: int

    def raised(self) -> "Fees":
        """An eighth more, the usual step: nodes accept a replacement from 10 % more on."""
        return Fees(self.most * 9 // 8 + 1, self.tip * 9 // 8 + 1)


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
        from eth_account import Account  # noqa: PLC0415  slow to import

        fields = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "to": bytes.fromhex(self.recipient[2:]) if self.recipient else b"",
            "value": self.value,
            "data": self.data,
            "gas": self.gas,
            "maxFeePerGas": self.fees.most,
            "maxPriorityFeePerGas": self.fees.tip,
        }
        return bytes(Account.sign_transaction(fields, signing_key).raw_transaction)


def transaction_hash(raw: bytes) -> bytes:
    """The hash under which a node knows these raw bytes."""
    return keccak(raw)
