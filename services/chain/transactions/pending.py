"""A transaction under way (EIP-1559): how it is treated and signed, what is remembered and becomes of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.chain.rpc.values import octets, quantity

if TYPE_CHECKING:
    from eth_account.datastructures import SignedTransaction


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How a sender treats fees and time.

    `confirmations` blocks on top of its own make a transaction final; `bump_seconds` without being mined make
    its replacement with a higher fee, up to `most_fee_per_gas` (wei); `lost_seconds` outside the node's pool,
    as after a restart or a reorganisation, have it sent again as it is; `poll_seconds` between looks at the
    node.
    """

    confirmations: int = 0
    bump_seconds: float = 45.0
    lost_seconds: float = 2.0
    poll_seconds: float = 0.5
    most_fee_per_gas: int = 500 * 10**9


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

    def sign(self, signing_key: bytes) -> "SignedTransaction":
        """With the raw bytes for eth_sendRawTransaction and the hash under which nodes know them."""
        from eth_account import Account  # noqa: PLC0415  slow to import

        fields = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "to": octets(self.recipient) if self.recipient else b"",
            "value": self.value,
            "data": self.data,
            "gas": self.gas,
            "maxFeePerGas": self.fees.most,
            "maxPriorityFeePerGas": self.fees.tip,
        }
        signed: SignedTransaction = Account.sign_transaction(fields, signing_key)
        return signed


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction; `transaction_hash` is empty where the call was in effect already."""

    transaction_hash: bytes
    block_number: int
    gas_used: int
    fee: int
    succeeded: bool
    created: str | None = None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Receipt":
        """From a node's answer."""
        gas = quantity(answer["gasUsed"])
        return cls(
            transaction_hash=octets(answer["transactionHash"]),
            block_number=quantity(answer["blockNumber"]),
            gas_used=gas,
            fee=gas * quantity(answer["effectiveGasPrice"]),
            succeeded=quantity(answer["status"]) == 1,
            created=answer.get("contractAddress"),
        )


@dataclass(slots=True)
class PendingTransaction:
    """One nonce and the hashes of all transactions that were broadcast for it."""

    transaction: Transaction
    hashes: list[str] = field(default_factory=list)
    tried_at: float = 0.0
    """When it was sent, or outbid."""
    known_at: float = 0.0
    """When the node's pool last had it."""
    next_at: float = 0.0
    """When the nonces below it were last mined or under way."""
    overtaken: bool = False
    """Whether its nonce was taken at the last look, by a transaction not known here."""

    @property
    def nonce(self) -> int:
        """The same for all of them."""
        return self.transaction.nonce
