"""Who makes shares, and for what: everything in a ring is bound to it."""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.proofs.transcript import Occasion
from protocol.errors import MisuseError
from protocol.types import digest_of


class Maker(IntEnum):
    """A place in the ring."""

    AGGREGATOR = 0
    FIRST_CHECKER = 1
    SECOND_CHECKER = 2

    @property
    def label(self) -> str:
        """As texts name it."""
        return self.name.lower().replace("_", " ")

    @property
    def next(self) -> "Maker":
        """Who is shown this one's seed."""
        return Maker((self + 1) % len(Maker))

    @property
    def is_checker(self) -> bool:
        """Whether it commits to a nonce where one is needed."""
        return self is not Maker.AGGREGATOR


class Purpose(StrEnum):
    """What is opened under the shares."""

    NEXT_MODEL = "next model"
    RANGES = "ranges"
    METRIC = "metric"
    ERRORS = "errors"

    @property
    def is_drawn(self) -> bool:
        """Whether what is opened depends on nonces."""
        return self in (Purpose.NEXT_MODEL, Purpose.RANGES)


class RingContext(NamedTuple):
    """One ring, by its verifier's own count; `parties` are three addresses in the order of `Maker`."""

    identity: TrainingIdentity
    occasion: Occasion
    purpose: Purpose
    parties: tuple[str, str, str]

    def require(self) -> None:
        """Raise MisuseError for an occasion that cannot be, or a party that is in the ring twice."""
        self.occasion.require()
        if len(set(self.parties)) != len(Maker):
            raise MisuseError("a party is in the ring twice; its three makers must be different")

    def needs_nonce(self, maker: Maker) -> bool:
        """Whether this one's commitment has a nonce."""
        return self.purpose.is_drawn and maker.is_checker

    def digest(self) -> bytes:
        """Of all of it, and of whatever it is about."""
        numbers = b"".join(one.to_bytes(8, "big") for one in self.occasion)
        parties = (int(party, 16).to_bytes(20, "big") for party in self.parties)
        purpose = self.purpose.encode()
        return digest_of(b"deltaml ring", self.identity.to_bytes(), numbers, purpose, *parties)
