"""The embedded chain's blocks, logs and receipts in the form of JSON-RPC answers."""

from collections.abc import Mapping
from typing import Any

from eth.abc import BlockAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI


def block_json(header: Any, transactions: list[str]) -> dict[str, Any]:
    """A block; `transactions` are the hashes."""
    return {
        "number": hex(header.block_number),
        "hash": "0x" + header.hash.hex(),
        "parentHash": "0x" + header.parent_hash.hex(),
        "timestamp": hex(header.timestamp),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "transactions": transactions,
    }


def logs_json(
    header: Mapping[str, Any], transaction: SignedTransactionAPI, receipt: ReceiptAPI
) -> list[dict[str, Any]]:
    """The logs of a block's only transaction; `header` as from `block_json`."""
    return [
        {
            "address": "0x" + log.address.hex(),
            "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in log.topics],
            "data": "0x" + log.data.hex(),
            "blockNumber": header["number"],
            "blockHash": header["hash"],
            "blockTimestamp": header["timestamp"],
            "transactionHash": "0x" + transaction.hash.hex(),
            "transactionIndex": "0x0",
            "logIndex": hex(index),
            "removed": False,
        }
        for index, log in enumerate(receipt.logs)
    ]


def receipt_json(
    block: BlockAPI,
    header: Mapping[str, Any],
    transaction: SignedTransactionAPI,
    computation: ComputationAPI,
    logs: list[dict[str, Any]],
) -> dict[str, Any]:
    """The receipt of a block's only transaction."""
    created = None if transaction.to else "0x" + computation.msg.storage_address.hex()
    return {
        "transactionHash": "0x" + transaction.hash.hex(),
        "blockNumber": header["number"],
        "blockHash": header["hash"],
        "status": hex(int(not computation.is_error)),
        "gasUsed": hex(block.header.gas_used),
        "effectiveGasPrice": hex(
            min(
                transaction.max_fee_per_gas,
                transaction.max_priority_fee_per_gas + (block.header.base_fee_per_gas or 0),
            )
        ),
        "contractAddress": created,
        "logs": logs,
    }


def matches(log: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether a log is of the address and topics of an eth_getLogs query."""
    address = query.get("address")
    if address is not None and log["address"] != address.lower():
        return False
    for position, wanted in enumerate(query.get("topics", ())):
        if wanted is None:
            continue
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if position >= len(log["topics"]) or log["topics"][position] not in allowed:
            return False
    return True
