"""What the key's holder is asked to open: what is opened times three shares, signed by all their makers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gmpy2 import mpz

from protocol.crypto.paillier import PublicKey
from protocol.crypto.ring.commitments import Commitments
from protocol.crypto.ring.context import Maker, RingContext
from protocol.crypto.ring.shares import BAD_SHARE, OwnShare, Share, share_digest
from protocol.crypto.validation import write_ciphertexts
from protocol.errors import MisuseError, ProtocolViolation
from protocol.types import digest_of

NOT_AGREED = "not_agreed"


@dataclass(frozen=True, slots=True)
class RingProduct:
    """Ciphertexts to be opened, and the digests of the shares in them, in the order of `Maker`."""

    key: PublicKey
    context: RingContext
    ciphertexts: tuple[mpz, ...] = field(repr=False)
    shares: tuple[bytes, ...]

    @classmethod
    def form(
        cls,
        key: PublicKey,
        commitments: Commitments,
        opened: Sequence[mpz],
        shares: Mapping[Maker, tuple[mpz, ...]],
    ) -> "RingProduct":
        """Π of what is opened, unblinded, and of the three shares that were committed to.

        Raises ProtocolViolation("bad_share") for one that is missing, malformed, or was not committed to.
        """
        total = list(opened)
        for maker in Maker:
            _require_committed(key, commitments, maker, shares.get(maker), len(total))
            total = [key.add(one, share) for one, share in zip(total, shares[maker], strict=True)]
        digests = tuple(one.share for one in commitments.all)
        return cls(key, commitments.context, tuple(total), digests)

    def digest_to_sign(self, own: OwnShare, shown: Share) -> bytes:
        """For who has made the share before its own again, from the seed that it was shown.

        Raises MisuseError for any other share, or one that is not in this product.
        """
        if shown.maker.next is not own.share.maker or own.context != self.context:
            raise MisuseError("a product is signed when the share before one's own has been made again")
        for share in (own.share, shown):
            digest = share_digest(self.key, share.maker, share.ciphertexts, len(self.ciphertexts))
            if digest != self.shares[share.maker]:
                raise MisuseError(f"the {share.maker.label}'s share is not the one in this product")
        return product_digest(self.key, self.context, self.ciphertexts)


def product_digest(key: PublicKey, context: RingContext, ciphertexts: Sequence[mpz]) -> bytes:
    """What all three sign: nothing in it tells the key's holder more than the product."""
    return digest_of(b"deltaml ring product", context.digest(), *write_ciphertexts(key, ciphertexts))


def require_agreed(
    key: PublicKey, context: RingContext, ciphertexts: Sequence[mpz], signed: Mapping[Maker, bytes]
) -> None:
    """The key holder's check before it opens anything, of digests whose signatures it has checked.

    `context` is its own: it knows by itself who the checkers are. Raises ProtocolViolation("not_agreed")
    unless each of the three has signed these ciphertexts.
    """
    digest = product_digest(key, context, ciphertexts)
    for maker in Maker:
        if signed.get(maker) != digest:
            raise ProtocolViolation(NOT_AGREED, f"the {maker.label} has not signed this product")


def _require_committed(
    key: PublicKey, commitments: Commitments, maker: Maker, share: object, count: int
) -> None:
    if share_digest(key, maker, share, count) != commitments.all[maker].share:
        raise ProtocolViolation(BAD_SHARE, f"the {maker.label}'s is not the one committed to")
