"""What errors that the buyer says make no record are, by what it has opened of them: one judgement for all.

Aggregator and checkers are the makers of the ring that opens them, and know two of three shares each; who
reads of it in a transcript knows none. Of trainers whose errors are said to be too large these are opened,
and one that is not as was said names the buyer. Of an error that is said to be negative each member's part is
opened, and names every member whose part is: its committed matrix is no sum of squares of anybody's rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.cipher import Ciphertext, Opening, PublicKey, verify_openings
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import Share, ShareForm
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.errors import (
    errors_form,
    parts_form,
    seen_errors,
    seen_parts,
    share_bound,
    without_known,
)
from protocol.learning.checked_openings.noise import noise_bound
from protocol.learning.checked_openings.sums import BAD_OPENING
from protocol.learning.judgement.implausibility import is_borne_out
from protocol.learning.judgement.negativity import Depths
from protocol.learning.judgement.plausibility import Limits
from protocol.learning.moments.widths import Start
from protocol.messages.opening import ImplausibleError, NegativeError
from protocol.messages.rounds import RingOpening
from protocol.request import Request
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.implausible import depths_of
from protocol.roles.rounds.products import MomentExchange, weighted_product
from protocol.roles.rounds.record import Measured, error_limits
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import Address, Seats

ERRORS_DENIED = "errors_denied"
"""Of a buyer whose word is not borne out."""

INDEFINITE_MATRIX = "indefinite_matrix"
"""Of a member whose part of an own error is negative."""


class ErrorsFault(NamedTuple):
    """Who is at fault by what was opened, and for what."""

    accused: Address
    code: str


class ErrorsVerdict(NamedTuple):
    """What an opening comes to, for one reader: who is at fault, and who is not for any reader."""

    faults: tuple[ErrorsFault, ...]
    cleared: tuple[Address, ...] = ()


@dataclass(frozen=True)
class SaidErrors:
    """What the buyer has said of an attempt's errors, with all that it is judged by.

    `trainers` are the round's as a mask, `weights` what each of the attempt's members weighs, in seat order,
    and `link` is the chain of rounds before it. Either trainers are `named`, or one error is `negative`.
    """

    exchange: MomentExchange
    weights: Mapping[Address, int]
    request: Request
    parties: Parties
    link: TranscriptHead
    trainers: Seats
    named: tuple[ImplausibleError, ...] = ()
    negative: NegativeError | None = None

    @property
    def form(self) -> ShareForm:
        """What the ring's shares must be."""
        exchange = self.exchange
        if self.negative is None:
            return errors_form(exchange.widths, exchange.sets, self._noise, self._powers(), exchange.trainers)
        share = self._depths.share(self.negative.depth)
        return parts_form(exchange.widths, exchange.sets, self._vector, share, len(self.weights))

    def opened(self, metrics: Sequence[Sequence[Ciphertext]]) -> list[Ciphertext]:
        """What is opened of members' checked metrics: their product, or one's part beside the other's."""
        key, sets, widths = self.exchange.key, self.exchange.sets, self.exchange.widths
        weights = list(self.weights.values())
        if self.negative is None:
            return weighted_product(key, metrics, weights, sets, widths)
        parts = zip(metrics, weights, strict=True)
        return [
            one for metric, weight in parts for one in weighted_product(key, [metric], [weight], sets, widths)
        ]

    def judge(
        self,
        product: Sequence[Ciphertext],
        body: RingOpening,
        known: tuple[Share, Share] | None,
        buyer: Address,
        randomness: Randomness,
    ) -> ErrorsVerdict:
        """What the opening comes to, by whoever knows two of the three shares, or none.

        Openings that are none are the buyer's, and so is what it has said that is not so. Of members nobody
        whose committed matrix is one of rows is ever among them (`gram`).
        """
        try:
            plaintexts = _opened(self.exchange.key, product, body, randomness)
        except ProtocolViolation:
            return ErrorsVerdict((ErrorsFault(buyer, code=BAD_OPENING),))
        left, unseen = without_known(plaintexts, known), _unseen(known)
        if self.negative is not None:
            return self._of_parts(self.negative, left, unseen, buyer)
        return self._of_named(left, unseen, buyer)

    # ---- trainers that were named ----

    def _of_named(self, left: Sequence[int], unseen: int, buyer: Address) -> ErrorsVerdict:
        powers, exchange = self._powers(), self.exchange
        seen = seen_errors(exchange.widths, exchange.sets, left, None, list(powers), exchange.trainers)
        # The start's error is seen under what shares are left; so limits lie between these.
        least = self._limits(None if seen.start is None else max(0, seen.start - unseen * self._noise))
        most = self._limits(None if seen.start is None else seen.start + len(Maker) * self._noise)
        is_true = is_sure = True
        for place, power in powers.items():
            hidden = unseen * share_bound(exchange.widths, self._noise, power)
            is_true &= is_borne_out(seen.own[place], power, hidden, least, most)
            is_sure &= is_borne_out(seen.own[place] - hidden, power, 0, most, least)
            is_sure &= is_borne_out(seen.own[place], power, 0, most, least)
        if is_true:
            return ErrorsVerdict((), (buyer,) if is_sure else ())
        return ErrorsVerdict((ErrorsFault(buyer, code=ERRORS_DENIED),))

    @property
    def _noise(self) -> int:
        return noise_bound(sum(self.weights.values()), self.request.target_range)

    def _powers(self) -> dict[int, int]:
        """By the trainer's place in the round."""
        places = self.parties.addresses(self.trainers)
        return {places.index(one.trainer): one.power for one in self.named}

    def _limits(self, start: int | None) -> Limits:
        unseen = (0,) * self.exchange.trainers
        found = Measured(start, unseen, unseen)
        return error_limits(found, sum(self.weights.values()), self.request, self.link)

    # ---- an error that is negative ----

    def _of_parts(
        self, said: NegativeError, left: Sequence[int], unseen: int, buyer: Address
    ) -> ErrorsVerdict:
        """No member where the error is not as far below nothing as was said, or further."""
        members, depths, noise = list(self.weights), self._depths, len(Maker) * self._noise
        parts = seen_parts(self.exchange.widths, self.exchange.sets, left, self._vector)
        least = [one - unseen * depths.share(said.depth) for one in parts]
        sound = set(range(len(members))) - set(depths.negative(least))
        cleared = tuple(members[place] for place in sorted(sound))
        negative = depths.negative(parts)
        if depths.is_deeper(parts, said.depth, noise) or not negative:
            return ErrorsVerdict((ErrorsFault(buyer, code=ERRORS_DENIED),), cleared)
        faults = tuple(ErrorsFault(members[place], code=INDEFINITE_MATRIX) for place in negative)
        is_sure = not depths.is_deeper(least, said.depth, noise)
        return ErrorsVerdict(faults, (*cleared, buyer) if is_sure else cleared)

    @property
    def _depths(self) -> Depths:
        return depths_of(self.weights, self.trainers, self.request)

    @property
    def _vector(self) -> int | None:
        """The place of the negative one's vector; the start's is the last, or none where it is public."""
        assert self.negative is not None
        if self.negative.trainer is not None:
            return self.parties.addresses(self.trainers).index(self.negative.trainer)
        return self.exchange.trainers if self.exchange.start is Start.ENCRYPTED else None


def _unseen(known: tuple[Share, Share] | None) -> int:
    """Under how many shares of the three it is seen."""
    return len(Maker) if known is None else len(Maker) - len(known)


def _opened(
    key: PublicKey, product: Sequence[Ciphertext], body: RingOpening, randomness: Randomness
) -> list[int]:
    """The plaintexts; raises ProtocolViolation("bad_opening") where they are not those of the product."""
    openings = [Opening(mpz(one.plaintext), mpz(one.root)) for row in body.vectors for one in row.openings]
    require(len(openings) == len(product), BAD_OPENING, f"{len(openings)} of {len(product)} openings")
    fits = verify_openings(key, product, openings, randomness)
    require(fits, BAD_OPENING, "an opening is not what its ciphertext holds")
    return [int(one.plaintext) for one in openings]
