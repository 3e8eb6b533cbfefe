"""A block header's bloom filter over the addresses and topics of its logs (Ethereum yellow paper, 4.3.1)."""

from typing import Any

from eth_hash.auto import keccak

from services.chain.errors import ChainUnavailable
from services.chain.rpc.values import octets

_BYTES = 256


def may_contain(bloom: Any, address: str) -> bool:
    """Whether logs of this address may be in the block: True is chance in some blocks.

    `bloom` is a header's logsBloom. False is certain where it is one; a header without says nothing of logs,
    which counts as False too.
    """
    try:
        bits = int.from_bytes(octets(bloom, _BYTES), "big")
    except ChainUnavailable:
        return False
    digest = keccak(octets(address))
    return all(bits >> (int.from_bytes(digest[at : at + 2], "big") % (8 * _BYTES)) & 1 for at in (0, 2, 4))
