"""What a block's header says of its logs: a bloom filter over addresses and topics, and a root of receipts.

Source: Ethereum yellow paper, 4.3.1 (bloom) and appendix D (the root of an empty trie).
"""

from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak

from services.chain.errors import ChainUnavailable
from services.chain.rpc.values import octets

_BYTES = 256
_NO_RECEIPTS = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


def may_have_logs(header: Mapping[str, Any], address: str, *topics: str) -> bool:
    """Whether a block may have logs of this address with these topics: False is certain.

    A header without these fields says nothing, nor does a filter without a single bit: some chains fill in
    none. Nor does the root of no receipts over a block with transactions: Ethermint and what is made of it
    give it for every block.
    """
    if header.get("receiptsRoot") == _NO_RECEIPTS and not header.get("transactions"):
        return False
    try:
        bits = int.from_bytes(octets(header.get("logsBloom"), _BYTES), "big")
    except ChainUnavailable:
        return True
    return not bits or all(_contains(bits, value) for value in (address, *topics))


def _contains(bits: int, value: str) -> bool:
    digest = keccak(octets(value))
    return all(bits >> (int.from_bytes(digest[at : at + 2], "big") % (8 * _BYTES)) & 1 for at in (0, 2, 4))
