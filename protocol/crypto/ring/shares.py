"""A share that follows, plaintext and randomness, from a seed: whoever is shown that holds it against it.

Its values are uniform below the bounds that everybody works out alike, so a share that its seed makes has the
width that it should have, and holds nothing but these values. The aggregator's is blinded with rⁿ, which
makes the whole product's randomness uniform towards the key's holder (see `blinding`); it is checked up to a
factor −1, which changes no value, in one equation. The checkers' are blinded with short exponents over the
bases of their commitments, forty times faster, and made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gmpy2 import mpz

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.elements import require_units
from protocol.crypto.native.batch import public_powers
from protocol.crypto.paillier import SHORT_EXPONENT_BITS, PublicKey
from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.crypto.ring.context import Maker, RingContext
from protocol.crypto.rooted import RootedClaim, RootedProduct, all_hold
from protocol.crypto.secrets import OneUse
from protocol.crypto.validation import write_ciphertexts
from protocol.errors import MisuseError, ProtocolViolation, WidthError
from protocol.types import digest_of

BAD_SHARE = "bad_share"


@dataclass(frozen=True, slots=True)
class ShareForm:
    """Slots of `slot_bits` bits; for each plaintext, what each value is below, the lowest slot first."""

    slot_bits: int
    bounds: tuple[tuple[int, ...], ...]

    def require(self, key: PublicKey) -> None:
        """Raise WidthError where values are wider than their slot, or slots than the key."""
        widest = max((bound for row in self.bounds for bound in row), default=0)
        if widest > 1 << self.slot_bits:
            raise WidthError(
                f"a share of {widest.bit_length()} bits in a slot of {self.slot_bits}; make slots wider"
            )
        most = max(map(len, self.bounds), default=0)
        if most * self.slot_bits >= key.bits:
            raise WidthError(
                f"{most} slots of {self.slot_bits} bits in a plaintext of {key.bits}; take fewer slots or a "
                "longer key"
            )

    def draw(self, stream: Randomness) -> tuple[int, ...]:
        """One plaintext for each row of bounds."""
        return tuple(
            sum(stream.below(bound) << (self.slot_bits * slot) for slot, bound in enumerate(row))
            for row in self.bounds
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A share as its maker and the next one know it: with its plaintexts, which are hidden from repr."""

    maker: Maker
    ciphertexts: tuple[mpz, ...] = field(repr=False)
    plaintexts: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True)
class ShareWorkshop:
    """Makes and checks the shares of one ring under one form.

    `bases` are the checkers' own, from their checked commitments (`OwnerCommitments.base`).
    """

    key: PublicKey
    context: RingContext
    form: ShareForm
    bases: tuple[mpz, mpz] = field(repr=False)

    def __post_init__(self) -> None:
        """Raise MisuseError for a ring that cannot be, or for another key; WidthError as `ShareForm` does."""
        self.context.require()
        self.context.identity.require_key(self.key)
        self.form.require(self.key)

    def make(self, maker: Maker, seed: OneUse[bytes]) -> "OwnShare":
        """One's own; the seed makes no second one, and can be shown once."""
        content = seed.take()
        if not is_seed(content):
            raise MisuseError(f"a share's seed must have {SEED_BYTES} bytes")
        return OwnShare(self.context, self._from_seed(maker, content), OneUse(content))

    def again(self, maker: Maker, ciphertexts: Sequence[mpz], seed: object) -> Share:
        """Another's, from the seed that it shows, where it makes these ciphertexts.

        The aggregator's up to a factor −1 each, the checkers' exactly.

        Raises ProtocolViolation("bad_share") for what is no seed, and for other ciphertexts, whatever it is
        that they hold instead: wider values, somebody's weight, or randomness that is not the seed's.
        """
        if not is_seed(seed):
            raise ProtocolViolation(BAD_SHARE, f"the {maker.label}'s seed is not {SEED_BYTES} bytes")
        if not self._makes(maker, seed, tuple(ciphertexts)):  # type: ignore[arg-type]
            raise ProtocolViolation(BAD_SHARE, f"the {maker.label}'s seed makes other ciphertexts")
        return self.kept(maker, ciphertexts, seed)  # type: ignore[arg-type]

    def kept(self, maker: Maker, ciphertexts: Sequence[mpz], seed: bytes) -> Share:
        """A share that this party has made, or checked, before, from its own store.

        Its values follow from the seed; its ciphertexts are taken as they are, without the n-th powers that
        most of the work of making one is. So whatever another party sends goes through `again`.
        """
        return Share(maker, tuple(ciphertexts), self.form.draw(self._stream(maker, seed).child("values")))

    def at_fault(self, maker: Maker, ciphertexts: Sequence[mpz], seed: object) -> Maker:
        """Who it is where the next one refuses a share, and its seed is shown to all; no such seed opens."""
        try:
            self.again(maker, ciphertexts, seed)
        except ProtocolViolation:
            return maker
        return maker.next

    def _from_seed(self, maker: Maker, seed: bytes) -> Share:
        stream = self._stream(maker, seed)
        plaintexts = self.form.draw(stream.child("values"))
        lifted = (self.key.lift(one) for one in plaintexts)
        blinding = self._blinding(maker, len(plaintexts), stream.child("blinding"))
        modulus = self.key.n_squared
        ciphertexts = tuple(one * factor % modulus for one, factor in zip(lifted, blinding, strict=True))
        return Share(maker, ciphertexts, plaintexts)

    def _makes(self, maker: Maker, seed: bytes, ciphertexts: tuple[mpz, ...]) -> bool:
        """Whether it does; of the aggregator's, blinded by n-th powers, all in one equation."""
        if maker.is_checker:
            return self._from_seed(maker, seed).ciphertexts == ciphertexts
        stream = self._stream(maker, seed)
        plaintexts = self.form.draw(stream.child("values"))
        roots = self._roots(len(plaintexts), stream.child("blinding"))
        if len(ciphertexts) != len(plaintexts):
            return False
        products = (RootedProduct((), (), *one) for one in zip(plaintexts, roots, strict=True))
        claims = [RootedClaim(*one) for one in zip(ciphertexts, products, strict=True)]
        return all_hold(self.key, claims)

    def _stream(self, maker: Maker, seed: bytes) -> Randomness:
        return Randomness(digest_of(b"deltaml share", self.context.digest(), bytes([maker]), seed))

    def _blinding(self, maker: Maker, count: int, stream: Randomness) -> list[mpz]:
        if not maker.is_checker:
            return public_powers(self._roots(count, stream), int(self.key.n), self.key.n_squared)
        powers = blinding_powers(self.key, self.bases[maker - 1])
        return powers.powers([stream.bits(SHORT_EXPONENT_BITS) for _ in range(count)])

    def _roots(self, count: int, stream: Randomness) -> list[mpz]:
        return [stream.unit(self.key.n) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class OwnShare:
    """A share, and the seed that it is shown by: once, to the next one (`commitments.Commitments.show`)."""

    context: RingContext
    share: Share
    seed: OneUse[bytes]


def is_seed(value: object) -> bool:
    """Whether it is as many bytes as a seed, or a nonce, has."""
    return isinstance(value, bytes) and len(value) == SEED_BYTES


def share_digest(key: PublicKey, maker: Maker, ciphertexts: object, count: int) -> bytes:
    """What a maker commits to; raises ProtocolViolation("bad_share") unless it is so many units modulo n²."""
    require_units(ciphertexts, count, key.n, BAD_SHARE, f"{maker.label}'s ciphertext", key.n_squared)
    return digest_of(b"deltaml share ciphertexts", *write_ciphertexts(key, ciphertexts))  # type: ignore[arg-type]
