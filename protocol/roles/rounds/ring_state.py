"""What a ring's maker keeps of it, and what it knows of it by itself; how it lives through it: `ring`."""

from dataclasses import dataclass, field
from typing import Annotated, NamedTuple, TypeVar

from gmpy2 import mpz
from pydantic import Field

from protocol.crypto.cipher import PublicKey
from protocol.crypto.ring.commitments import Commitments, RingCommitment
from protocol.crypto.ring.context import Maker, RingContext
from protocol.crypto.ring.shares import ShareForm, ShareWorkshop
from protocol.messages.rounds import RingCommitted
from protocol.messages.rounds.values import Numbers, RingPurpose, Seed
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import BlobRef
from protocol.types import AttemptNumber, Digest, FrozenModel, RoundAttempt, RoundNumber

T = TypeVar("T")

Nonces = tuple[Seed | None, Seed | None, Seed | None]


@dataclass(frozen=True)
class RingView:
    """What a maker knows of a ring by itself: its parties, what its shares must be, its own place.

    `bases` are the checkers' own, from their checked commitments, in the order of makers.
    """

    key: PublicKey
    context: RingContext
    form: ShareForm
    bases: tuple[mpz, mpz] = field(repr=False)
    own: Maker

    @property
    def workshop(self) -> ShareWorkshop:
        """Where shares are made, and made again."""
        return ShareWorkshop(self.key, self.context, self.form, self.bases)

    @property
    def previous(self) -> Maker:
        """Whose seed is shown to this one."""
        return next(maker for maker in Maker if maker.next is self.own)

    def others(self) -> tuple[Maker, ...]:
        """The two makers besides this one."""
        return tuple(maker for maker in Maker if maker is not self.own)

    def maker_of(self, sender: str) -> Maker:
        """The place of a sender; raises ProtocolViolation("not_a_maker") for anybody else, and oneself."""
        require(sender in self.context.parties, "not_a_maker", f"{sender} has no place in this ring")
        maker = Maker(self.context.parties.index(sender))
        require(maker is not self.own, "not_a_maker", "that is this party itself")
        return maker


class SharedNumbers(FrozenModel):
    """The content of a blob: a share's ciphertexts as they travel."""

    numbers: Numbers


class RingState(FrozenModel):
    """Where a ring stands for one of its makers; what it got of each is in the order of `Maker`.

    Of `shares` its own is there from the beginning. `seed` and `nonce` are its own secrets, `shown` the seed
    of the maker before it, once its share was made again from it. `told` is the aggregator's signed
    commitment, which shows what that one was about. `refused` is set where the seed makes another share than
    the one that was committed to.
    """

    purpose: RingPurpose
    round: RoundNumber
    attempt: AttemptNumber
    statement: Digest
    seed: BlobRef
    nonce: BlobRef | None = None
    committed: tuple[RingCommitted | None, RingCommitted | None, RingCommitted | None]
    nonces: Annotated[Nonces, Field(repr=False)] = (None, None, None)
    shares: tuple[BlobRef | None, BlobRef | None, BlobRef | None] = (None, None, None)
    shown: BlobRef | None = None
    told: BlobRef | None = None
    refused: bool = False

    @property
    def at(self) -> RoundAttempt:
        """The round and attempt that the ring belongs to."""
        return RoundAttempt(self.round, self.attempt)

    @property
    def is_committed(self) -> bool:
        """Whether all three have committed."""
        return None not in self.committed

    def has_chance(self, view: RingView) -> bool:
        """Whether shares may be shown: all have committed, and nonces are known where there are some."""
        needed = (maker for maker in Maker if view.context.needs_nonce(maker))
        return self.is_committed and all(self.nonces[maker] is not None for maker in needed)

    def commitments(self, view: RingView) -> Commitments:
        """All three; raises ProtocolViolation("bad_ring_commitment") before they are there."""
        signed = {
            maker: RingCommitment(one.statement, one.share, one.nonce)
            for maker, one in zip(Maker, self.committed, strict=True)
            if one is not None
        }
        return Commitments.collect(view.context, view.own, signed)

    @property
    def is_complete(self) -> bool:
        """Whether all shares are there, and the one before this maker's was made again."""
        return None not in self.shares and self.shown is not None


class RingStep(NamedTuple):
    """A ring after a message, and what is to be sent and stored.

    Whoever goes on within the step, as with the product of the last share, finds the blobs of this one in
    `context.knowing(effects)`.
    """

    ring: RingState
    effects: tuple[Effect, ...] = ()


def with_entry(
    found: tuple[T | None, T | None, T | None], maker: Maker, item: T
) -> tuple[T | None, T | None, T | None]:
    """What came of the three makers, with one more."""
    first, second, third = (item if one is maker else found[one] for one in Maker)
    return first, second, third
