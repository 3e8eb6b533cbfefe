"""What an owner binds itself to when it joins: what it has published, and a nonce that nobody knows yet.

The contract draws the roles from the nonces of all owners and the hash of a block. That block is fixed before
the first nonce is revealed and each nonce before that block, so nobody can try draws: not who builds the
block, and no owner.
"""

from eth_hash.auto import keccak

from protocol.records import Market, address_word, number_word
from protocol.types import Digest

_COMMITMENT = keccak(b"DeltaML commitment of an owner that joins: data card")
"""Apart from every other use of keccak256."""

_CHECKED = keccak(b"DeltaML commitment of an owner that joins: data card, map and Gram matrix")

NONCE_BYTES = 32


def commitment(market: Market, training: int, owner: str, key_id: bytes, card_hash: bytes) -> Digest:
    """keccak256(abi.encode(domain, chain id, contract, training, owner, key id, the data card's hash)).

    It follows from what is public, or told to the aggregator, before the chain shows a seat: never from rows.
    `key_id` is that of the buyer's key in the invitation, `card_hash` `DataCard.hash`.
    """
    return keccak(
        _COMMITMENT
        + number_word(market.chain_id)
        + address_word(market.contract)
        + number_word(training)
        + address_word(owner)
        + key_id
        + card_hash
    )


def checked_commitment(card_hash: bytes, committed: bytes) -> Digest:
    """keccak256(abi.encode(domain, the data card's hash, the digest of the owner's commitments)).

    `committed` is `OwnerCommitments.digest`, which names market, training, owner and key.
    """
    return keccak(_CHECKED + card_hash + committed)


def nonce_digest(training: int, owner: str, nonce: bytes) -> Digest:
    """keccak256(abi.encode(training, owner, nonce)): nobody else can reveal a nonce that it has copied."""
    return keccak(number_word(training) + address_word(owner) + nonce)
