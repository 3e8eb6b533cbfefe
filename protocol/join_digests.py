"""What an owner binds itself to when it joins: what it has published, and a nonce that nobody knows yet.

The contract draws the roles from the nonces of all owners and the hash of a block. That block is fixed before
the first nonce is revealed and each nonce before that block, so nobody can try draws: not who builds the
block, and no owner.
"""

import hmac

from eth_hash.auto import keccak

from protocol.records import Market, address_word, number_word
from protocol.types import Digest

_COMMITMENT = keccak(b"DeltaML commitment of an owner that joins: data card")
"""Apart from every other use of keccak256."""

_CHECKED_COMMITMENT = keccak(b"DeltaML commitment of an owner that joins: data card and commitments")

_NONCE = b"DeltaML nonce of an owner that joins"
"""Apart from every other use of the signing key."""


def nonce_binding(market: Market, training: int, owner: str, key_id: bytes, card_hash: bytes) -> Digest:
    """keccak256(abi.encode(domain, chain id, contract, training, owner, key id, the data card's hash)).

    What an owner's nonce is made of (`secret_nonce`), told to nobody. It follows from what is public, or told
    to the aggregator, before the chain shows a seat: never from rows, nor from chance, which is lost with a
    state.
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
    """keccak256(abi.encode(domain, the data card's hash, digest of the owner's commitments)).

    `committed` is `OwnerCommitments.digest`, which names market, training, owner and key: so nobody joins
    with another's, and an owner that has seen who trains cannot say afterwards what it would have computed.
    """
    return keccak(_CHECKED_COMMITMENT + card_hash + committed)


def secret_nonce(signing_key: bytes, market: Market, training: int, binding: Digest) -> Digest:
    """HMAC-SHA256, under a key of its own from the signing key, of chain id, contract, training, binding.

    The 32 secret bytes that an owner joins with. Drawn and stored, they would be lost with a store that is
    put back from an older copy, and with them the seat and its bond. So they follow from what an owner never
    loses: HMAC is a pseudorandom function [RFC 2104], so who has not the key cannot tell them from chance,
    whatever nonces of other trainings or bindings are revealed.
    """
    key = hmac.digest(signing_key, _NONCE, "sha256")
    place = number_word(market.chain_id) + address_word(market.contract) + number_word(training)
    return hmac.digest(key, place + binding, "sha256")


def nonce_digest(training: int, owner: str, nonce: bytes) -> Digest:
    """keccak256(abi.encode(training, owner, nonce)): nobody else can reveal a nonce that it has copied."""
    return keccak(number_word(training) + address_word(owner) + nonce)
