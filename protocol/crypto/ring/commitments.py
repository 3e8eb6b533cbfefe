"""First everybody commits, then nonces are shown, then seeds.

In any other order somebody chooses last: a share that is made when the vectors are known cancels whatever
would be out of range, and so does a model; a nonce that is chosen when the other is known picks the vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.paillier import PublicKey
from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.crypto.ring.context import Maker, RingContext
from protocol.crypto.ring.shares import OwnShare, is_seed, share_digest
from protocol.crypto.secrets import OneUse
from protocol.crypto.validation import write_ciphertexts
from protocol.errors import MisuseError, ProtocolViolation
from protocol.types import digest_of

BAD_COMMITMENT = "bad_ring_commitment"
BAD_NONCE = "bad_nonce"
_DIGEST_BYTES = 32


class RingCommitment(NamedTuple):
    """What a party signs first: digests of what is opened, of its share, and of its nonce if it has one."""

    statement: bytes
    share: bytes
    nonce: bytes = b""


class OwnNonce:
    """A checker's: committed to by its digest, shown once (`Commitments.show_nonce`)."""

    __slots__ = ("digest", "secret")

    def __init__(self, context: RingContext, maker: Maker, nonce: OneUse[bytes]) -> None:
        """Commit to 32 random bytes; raises MisuseError for another length."""
        content = nonce.take()
        if not is_seed(content):
            raise MisuseError(f"a nonce must have {SEED_BYTES} bytes")
        self.digest = nonce_digest(context, maker, content)
        self.secret = OneUse(content)


@dataclass(frozen=True, slots=True)
class Commitments:
    """Those of a ring's three makers, in the order of `Maker`; made by `collect`."""

    context: RingContext
    all: tuple[RingCommitment, RingCommitment, RingCommitment]

    @classmethod
    def collect(
        cls, context: RingContext, own: Maker, signed: Mapping[Maker, RingCommitment]
    ) -> "Commitments":
        """One's own and the signed ones of the others, before anything is shown.

        Raises ProtocolViolation("bad_ring_commitment") for one that is missing or malformed, and where
        another party commits to the opening of something else than oneself.
        """
        for maker in Maker:
            _require_commitment(context, maker, signed.get(maker))
        for maker in Maker:
            if signed[maker].statement != signed[own].statement:
                raise ProtocolViolation(BAD_COMMITMENT, f"the {maker.label} would open something else")
        aggregator, first, second = (signed[maker] for maker in Maker)
        return cls(context, (aggregator, first, second))

    def show_nonce(self, maker: Maker, nonce: OwnNonce) -> bytes:
        """One's own, now that all have committed; raises MisuseError for one that is not committed to."""
        if self.all[maker].nonce != nonce.digest:
            raise MisuseError("this nonce is not committed to; show the one whose digest was signed")
        return nonce.secret.take()

    def show_seed(self, key: PublicKey, own: OwnShare) -> bytes:
        """One's own, for the next one alone; raises MisuseError for a share that is not committed to."""
        share = own.share
        digest = share_digest(key, share.maker, share.ciphertexts, len(share.ciphertexts))
        if own.context != self.context or self.all[share.maker].share != digest:
            raise MisuseError("this share is not committed to; show the one whose digest was signed")
        return own.seed.take()

    def chance(self, nonces: Mapping[Maker, object]) -> Randomness:
        """The stream that follows from all commitments and nonces, the same for everybody.

        Raises ProtocolViolation("bad_nonce") where one is missing or is not what its maker committed to.
        """
        shown = [self._checked_nonce(maker, nonces) for maker in Maker if self.context.needs_nonce(maker)]
        committed = (part for one in self.all for part in one)
        return Randomness(digest_of(b"deltaml ring chance", self.context.digest(), *committed, *shown))

    def _checked_nonce(self, maker: Maker, nonces: Mapping[Maker, object]) -> bytes:
        nonce = nonces.get(maker)
        if not is_seed(nonce) or nonce_digest(self.context, maker, nonce) != self.all[maker].nonce:  # type: ignore[arg-type]
            raise ProtocolViolation(BAD_NONCE, f"the {maker.label}'s nonce is not the one committed to")
        return nonce  # type: ignore[return-value]


def commit(key: PublicKey, statement: bytes, own: OwnShare, nonce: OwnNonce | None = None) -> RingCommitment:
    """What to sign; raises MisuseError for a nonce too many or too few."""
    if (nonce is not None) != own.context.needs_nonce(own.share.maker):
        raise MisuseError("checkers commit to a nonce where vectors are drawn, and nobody else ever does")
    share = own.share
    digest = share_digest(key, share.maker, share.ciphertexts, len(share.ciphertexts))
    return RingCommitment(statement, digest, nonce.digest if nonce else b"")


def statement_digest(key: PublicKey, *groups: Sequence[mpz]) -> bytes:
    """Of checked ciphertexts that an opening is about, in groups whose order and lengths count."""
    parts = (digest_of(*write_ciphertexts(key, group)) for group in groups)
    return digest_of(b"deltaml ring statement", *parts)


def nonce_digest(context: RingContext, maker: Maker, nonce: bytes) -> bytes:
    """What a checker commits to: another's digest, copied, opens to nothing."""
    return digest_of(b"deltaml ring nonce", context.digest(), bytes([maker]), nonce)


def _require_commitment(context: RingContext, maker: Maker, found: RingCommitment | None) -> None:
    if found is None:
        raise ProtocolViolation(BAD_COMMITMENT, f"the {maker.label}'s is missing")
    lengths = [len(part) if isinstance(part, bytes) else -1 for part in found]
    expected = [_DIGEST_BYTES, _DIGEST_BYTES, _DIGEST_BYTES if context.needs_nonce(maker) else 0]
    if lengths != expected:
        raise ProtocolViolation(BAD_COMMITMENT, f"the {maker.label}'s has parts of a wrong length")
