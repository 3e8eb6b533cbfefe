"""A ring of three makers and the key's holder in one process, in which one may cheat and one check be off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from gmpy2 import mpz

from protocol.crypto.blinding import draw_base
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.opening import Opening
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.commitments import Commitments, OwnNonce, commit, statement_digest
from protocol.crypto.ring.context import Maker, Purpose, RingContext
from protocol.crypto.ring.product import RingProduct, require_agreed
from protocol.crypto.ring.shares import OwnShare, Share, ShareForm, ShareWorkshop
from protocol.crypto.secrets import OneUse
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.sums import (
    Coefficients,
    SumWidths,
    draw_coefficients,
    open_sums,
    random_sums,
    vectors_out_of_range,
)

PARTIES = ("0x" + "a0" * 20, "0x" + "01" * 20, "0x" + "02" * 20)
CHECKERS = (Maker.FIRST_CHECKER, Maker.SECOND_CHECKER)
STREAM = Randomness(b"q" * 32)


def ring_context(key: PublicKey, purpose: Purpose = Purpose.NEXT_MODEL, *, attempt: int = 1) -> RingContext:
    identity = TrainingIdentity(31337, "0x" + "c0" * 20, 7, key.key_id)
    return RingContext(identity, Occasion(3, 0, attempt), purpose, PARTIES)


def workshop_of(key: PublicKey, form: ShareForm, context: RingContext | None = None) -> ShareWorkshop:
    return ShareWorkshop(key, context or ring_context(key), form, bases_of(key))


@lru_cache
def bases_of(key: PublicKey) -> tuple[mpz, mpz]:
    """The checkers'; their tables take a while."""
    return draw_base(key, STREAM), draw_base(key, STREAM)


def secret() -> OneUse[bytes]:
    return OneUse(STREAM.bytes(32))


def encrypted(private: PrivateKey, values: Iterable[int]) -> list[mpz]:
    return [private.encrypt(value, STREAM) for value in values]


@dataclass
class Ring:
    """One ring over the random sums of encrypted vectors.

    `forged` are ciphertexts that a maker puts in its share's place, `unchecked` the makers that sign without
    making the share before theirs again.
    """

    private: PrivateKey
    vectors: Sequence[Sequence[mpz]]
    widths: SumWidths
    purpose: Purpose = Purpose.NEXT_MODEL
    forged: dict[Maker, tuple[mpz, ...]] = field(default_factory=dict)
    unchecked: frozenset[Maker] = frozenset()
    coefficients: Coefficients = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = self.private.public_key
        self.context = ring_context(self.key, self.purpose)
        self.workshop = workshop_of(self.key, self.widths.share_form(len(self.vectors)), self.context)
        self.own: dict[Maker, OwnShare] = {m: self.workshop.make(m, secret()) for m in Maker}
        self.nonces = {m: OwnNonce(self.context, m, secret()) for m in CHECKERS}
        self.statement = statement_digest(self.key, *self.vectors)

    def ciphertexts(self, maker: Maker) -> tuple[mpz, ...]:
        return self.forged.get(maker, self.own[maker].share.ciphertexts)

    @cached_property
    def commitments(self) -> Commitments:
        signed = {}
        for maker in Maker:
            share = self.own[maker].share
            shown = Share(maker, self.ciphertexts(maker), share.plaintexts)
            own = OwnShare(self.context, shown, self.own[maker].seed)
            signed[maker] = commit(self.key, self.statement, own, self.nonces.get(maker))
        return Commitments.collect(self.context, Maker.AGGREGATOR, signed)

    def draw(self) -> Coefficients:
        nonces = {m: self.commitments.show_nonce(m, self.nonces[m]) for m in CHECKERS}
        return draw_coefficients(self.commitments.chance(nonces), len(self.vectors[0]))

    @cached_property
    def product(self) -> RingProduct:
        commitments = self.commitments
        self.coefficients = self.coefficients or self.draw()
        sums = [
            one
            for vector in self.vectors
            for one in random_sums(self.key, vector, self.coefficients, self.widths)
        ]
        shares = {m: self.ciphertexts(m) for m in Maker}
        return RingProduct.form(self.key, commitments, sums, shares)

    @cached_property
    def seeds(self) -> dict[Maker, bytes]:
        return {maker: own.seed.take() for maker, own in self.own.items()}

    @cached_property
    def shown(self) -> dict[Maker, Share]:
        """What each has of the share before its own; raises ProtocolViolation where one refuses it."""
        found = {}
        for maker in Maker:
            own = self.own[maker]
            if maker.next in self.unchecked:
                found[maker.next] = own.share
            else:
                found[maker.next] = self.workshop.again(maker, self.ciphertexts(maker), self.seeds[maker])
        return found

    def signed(self) -> dict[Maker, bytes]:
        digests = {}
        for maker in Maker:
            shares = (self.own[maker].share, self.shown[maker])
            in_product = [Share(one.maker, self.ciphertexts(one.maker), one.plaintexts) for one in shares]
            own = OwnShare(self.context, in_product[0], secret())
            digests[maker] = self.product.digest_to_sign(own, in_product[1])
        return digests

    @cached_property
    def answers(self) -> list[tuple[Opening, ...] | None]:
        signed = self.signed()
        require_agreed(self.key, self.context, self.product.ciphertexts, signed)
        return open_sums(self.private, self.widths, self.product.ciphertexts)

    def out_of_range(self, maker: Maker) -> list[int]:
        """A checker's verdict."""
        answers, known = self.answers, (self.own[maker].share, self.shown[maker])
        return vectors_out_of_range(self.key, self.widths, self.product.ciphertexts, answers, known, STREAM)

    def verdicts(self) -> list[list[int]]:
        return [self.out_of_range(maker) for maker in CHECKERS]

    def refused(self) -> str:
        """The text with which somebody refuses to sign; empty where all sign."""
        try:
            self.signed()
        except ProtocolViolation as refusal:
            return str(refusal)
        return ""
