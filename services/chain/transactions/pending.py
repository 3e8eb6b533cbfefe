"""A transaction under way: how it is treated, what is remembered of it, what becomes of it."""

from dataclasses import dataclass, field
from typing import Any

from services.chain.rpc.values import quantity
from services.chain.transactions.transaction import Transaction


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
    gas_margin_percent: int = 50


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction; `transaction_hash` is empty where the call was in effect already."""

    transaction_hash: bytes
    block_number: int
    gas_used: int
    fee: int
    succeeded: bool
    created: str | None = None


def read_receipt(value: bytes, receipt: dict[str, Any]) -> Receipt:
    """From a node's answer for the transaction with the hash `value`."""
    gas = quantity(receipt["gasUsed"])
    return Receipt(
        transaction_hash=value,
        block_number=quantity(receipt["blockNumber"]),
        gas_used=gas,
        fee=gas * quantity(receipt["effectiveGasPrice"]),
        succeeded=quantity(receipt["status"]) == 1,
        created=receipt.get("contractAddress"),
    )


@dataclass(slots=True)
class PendingTransaction:
    """One nonce and every transaction that was broadcast for it."""

    transaction: Transaction
    raw: list[bytes] = field(default_factory=list)
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
