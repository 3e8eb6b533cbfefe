"""A group for commitments in which tests are fast: its strength is that of no secret."""

from functools import cache

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.commitment_group import CommitmentGroup
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.paillier import PublicKey
from tests.support.roles.pure_contract import MARKET, TRAINING

BITS = 512


@cache
def small_group(label: bytes = b"small group") -> CommitmentGroup:
    """Modulo two primes hashed from a label and forgotten."""
    halves = (keccak(label + bytes([place]))[: BITS // 16] for place in range(2))
    high = mpz(3) << (BITS // 2 - 2)
    p, q = (gmpy2.next_prime(high | int.from_bytes(half, "big")) for half in halves)
    return CommitmentGroup(p * q)


def market_identity(key: PublicKey) -> TrainingIdentity:
    """Of the pure contract's training, in the group of pure markets."""
    return TrainingIdentity(MARKET.chain_id, MARKET.contract, TRAINING, key.key_id, small_group())
