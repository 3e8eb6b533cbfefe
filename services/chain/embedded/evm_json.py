"""The embedded chain's blocks, logs and receipts in the form of JSON-RPC answers."""

from collections.abc import Mapping
from typing import Any

from eth.abc import BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI
from eth_utils.hexadecimal import encode_hex


def block_json(header: BlockHeaderAPI) -> dict[str, Any]:
    """A block without its transactions."""
    return {
        "number": hex(header.block_number),
        "hash": encode_hex(header.hash),
        "parentHash": encode_hex(header.parent_hash),
        "timestamp": hex(header.timestamp),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "receiptsRoot": encode_hex(header.receipt_root),
        "logsBloom": f"0x{header.bloom:0512x}",
    }


def logs_json(block: Mapping[str, Any], transaction_hash: str, receipt: ReceiptAPI) -> list[dict[str, Any]]:
    """The logs of a block's only transaction; `block` as from `block_json`."""
    return [
        {
            "address": encode_hex(log.address),
            "topics": [f"0x{topic:064x}" for topic in log.topics],
            "data": encode_hex(log.data),
            "blockNumber": block["number"],
            "blockHash": block["hash"],
            "blockTimestamp": block["timestamp"],
            "transactionHash": transaction_hash,
            "logIndex": hex(index),
        }
        for index, log in enumerate(receipt.logs)
    ]


def receipt_json(
    block: Mapping[str, Any], transaction: SignedTransactionAPI, computation: ComputationAPI
) -> dict[str, Any]:
    """The receipt of a block's only transaction, without its logs."""
    tip_included = transaction.max_priority_fee_per_gas + int(block["baseFeePerGas"], 16)
    return {
        "transactionHash": encode_hex(transaction.hash),
        "blockNumber": block["number"],
        "status": hex(computation.is_success),
        "gasUsed": block["gasUsed"],
        "effectiveGasPrice": hex(min(transaction.max_fee_per_gas, tip_included)),
        "contractAddress": None if transaction.to else encode_hex(computation.msg.storage_address),
    }


def matches(log: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether a log is in the blocks and of the contract and topics of an eth_getLogs query."""
    if "blockHash" in query:
        in_blocks = log["blockHash"] == query["blockHash"]
    else:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        in_blocks = first <= int(log["blockNumber"], 16) <= last
    topics = query.get("topics", [])
    return (
        in_blocks
        and log["address"] == query["address"].lower()
        and len(topics) <= len(log["topics"])
        and all(wanted in (None, topic) for wanted, topic in zip(topics, log["topics"], strict=False))
    )
