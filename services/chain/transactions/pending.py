"""A transaction under way (EIP-1559): how it is treated and signed, what is remembered and becomes of it."""

from collections.abc import Mapping
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
    """Wei per unit of gas: the most that is paid, and the tip to the block's builder within it.

    On a chain without base fee `most` is the gas price itself, and there is no tip.
    """

    most: int
    tip: int | None

    def raised(self) -> "Fees":
        """An eighth more, the usual step: nodes accept a replacement from 10 % more on."""
        return Fees(self.most * 9 // 8 + 1, None if self.tip is None else self.tip * 9 // 8 + 1)

    def fields(self) -> dict[str, int]:
        """As a transaction has them: EIP-1559's, or those of before it."""
        if self.tip is None:
            return {"gasPrice": self.most}
        return {"type": 2, "maxFeePerGas": self.most, "maxPriorityFeePerGas": self.tip}


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction before it is signed; `recipient` None creates a contract."""

    chain_id: int
    nonce: int
    recipient: str | None
    value: int
    data: bytes = field(repr=False)
    gas: int
    fees: Fees

    def sign(self, signing_key: bytes) -> "SignedTransaction":
        """With the raw bytes for eth_sendRawTransaction and the hash under which nodes know them."""
        from eth_account import Account  # noqa: PLC0415  slow to import

        fields = {
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "to": octets(self.recipient) if self.recipient else b"",
            "value": self.value,
            "data": self.data,
            "gas": self.gas,
            **self.fees.fields(),
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
    def of(cls, answer: Mapping[str, Any], offered: int) -> "Receipt":
        """From a node's answer; one of a chain without base fee may leave out the price that was `offered`.

        Raises ChainUnavailable for an answer that is no receipt.
        """
        gas, created = quantity(answer.get("gasUsed"), 63), answer.get("contractAddress")
        return cls(
            transaction_hash=octets(answer.get("transactionHash"), 32),
            block_number=quantity(answer.get("blockNumber"), 63),
            gas_used=gas,
            fee=gas * quantity(answer.get("effectiveGasPrice", hex(offered))),
            succeeded=quantity(answer.get("status")) == 1,
            created=None if created is None else "0x" + octets(created, 20).hex(),
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
