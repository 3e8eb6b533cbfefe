"""Seats as tests take them that do not care what an owner commits to."""

from protocol.join_digests import nonce_digest
from protocol.marketplace import Join, Joined, Reveal

COMMITMENT, DIGEST, NONCE = b"c" * 32, b"d" * 32, b"n" * 32


def seat_taken(*, training: int, owner: str, seat: int) -> Joined:
    """The event of an owner that joined."""
    return Joined(training=training, owner=owner, seat=seat, commitment=COMMITMENT, nonce_digest=DIGEST)


def any_join(training: int) -> Join:
    """The call of an owner that joins, and will not reveal."""
    return Join(training=training, commitment=COMMITMENT, nonce_digest=DIGEST)


def join_with_nonce(owner: str, training: int = 1, nonce: bytes = NONCE) -> Join:
    """The call of an owner that joins and can reveal this nonce."""
    digest = nonce_digest(training, owner, nonce)
    return Join(training=training, commitment=COMMITMENT, nonce_digest=digest)


def reveal_nonce(training: int = 1, nonce: bytes = NONCE) -> Reveal:
    """Its call once the joining is closed."""
    return Reveal(training=training, nonce=nonce)
