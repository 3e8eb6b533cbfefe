"""Trainers whose own errors the buyer says are too large: what it may name, and whether that is true.

Nobody sits a round out on its word. Aggregator and both checkers open the product again in a ring of their
own, and each sees for itself whether the errors that were named are what the buyer says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, Opening, PublicKey, verify_openings
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import Share, ShareForm
from protocol.envelope import SignedMessage
from protocol.learning.checked_openings.errors import errors_form, seen_errors, share_bound
from protocol.learning.checked_openings.noise import noise_bound
from protocol.learning.checked_openings.sums import BAD_OPENING
from protocol.learning.judgement.implausibility import is_borne_out, power_of
from protocol.learning.judgement.plausibility import Limits
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.messages import OpeningRefused
from protocol.messages.opening import ImplausibleError
from protocol.messages.rounds import RingOpening
from protocol.messages.rounds.values import START_OF, AttemptFacts, StartMeasured
from protocol.records import Market
from protocol.request import Request
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.products import MomentExchange
from protocol.roles.rounds.record import Measured, error_limits, measured
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import Address, RoundAttempt, Seats

_WRONG = "wrong_refusal"


def named_errors(
    facts: AttemptFacts,
    plaintexts: Sequence[int],
    *,
    request: Request,
    parties: Parties,
    widths: MomentWidths,
    link: TranscriptHead,
) -> tuple[ImplausibleError, ...]:
    """Whom the buyer names for errors that make no record, by opened plaintexts; in seat order.

    Nobody where an error is negative, which a trainer's model cannot bring about, or beyond all powers, or
    where all trainers' own errors are plausible: it is not theirs to sit out then. Nor where the round may
    not be repeated (`is_affordable`).
    """
    start = START_OF[facts.start]
    found = measured(plaintexts, widths.sets(facts.trainers.bit_count(), start), widths, start)
    if found is None:
        return ()
    limits = error_limits(found, sum(member_weights(parties, facts.members).values()), request, link)
    if min((*found.own, found.start or 0)) < -limits.rounding:
        return ()
    trainers, named = parties.addresses(facts.trainers), []
    for trainer, value in zip(trainers, found.own, strict=True):
        power = power_of(value, limits)
        if power is not None:
            named.append(ImplausibleError(trainer=trainer, power=power))
        elif value > limits.most_own:
            return ()
    return tuple(named) if is_affordable(facts.trainers, len(named), facts.start, request, link) else ()


def is_affordable(
    trainers: Seats, named: int, start: StartMeasured, request: Request, link: TranscriptHead
) -> bool:
    """Whether owners' budgets hold a repetition of the round after `link` without so many of its trainers.

    The buyer has seen 2·T numbers, all of which count for the round (`owner.budget`), and sees others in the
    repetition: the remaining trainers' mean products with another sum, and v₀ once more where it is secret.
    All by the same members, without whom nothing is opened.
    What owners have reserved for the training holds them, as those who are named are missing in all rounds
    that follow: two numbers each.
    """
    others = trainers.bit_count() - named + int(START_OF[start] is Start.ENCRYPTED)
    following = request.schedule.rounds - (link.round + 1)
    return others <= 2 * named * following


def require_named(named: Sequence[ImplausibleError], parties: Parties, trainers: Seats) -> None:
    """Raise ProtocolViolation("wrong_refusal") unless each is a trainer of the round, once, in seat order."""
    names = tuple(one.trainer for one in named)
    mask = parties.mask(names)
    require(names == parties.addresses(mask), _WRONG, "trainers twice, or out of order")
    require(mask & ~trainers == 0, _WRONG, "somebody who has no update in the round")


def read_refusal(
    signed: SignedMessage, market: Market, training: int, at: RoundAttempt, buyer: Address
) -> tuple[Address, ...]:
    """Whom the buyer has named in its signed word against an attempt: who sits the rest of the training out.

    Raises ProtocolViolation("wrong_refusal") for another message, or one that names nobody; as
    `SignedMessage.verify` and `body_of` do.
    """
    envelope = signed.envelope
    place = (envelope.type, envelope.sender, envelope.training, envelope.round, envelope.attempt)
    require(place == ("opening_refused", buyer, training, *at), _WRONG, "not the buyer's of that attempt")
    signed.verify(market)
    named = tuple(one.trainer for one in body_of(signed, OpeningRefused).named)
    require(bool(named), _WRONG, "nobody is named")
    return named


@dataclass(frozen=True)
class NamedErrors:
    """What the buyer has named of an attempt, with all that it is judged by.

    `trainers` are the round's as a mask, `weights` what the attempt's members weigh together, and `link` is
    the chain of rounds before it.
    """

    exchange: MomentExchange
    weights: int
    request: Request
    parties: Parties
    link: TranscriptHead
    trainers: Seats
    named: tuple[ImplausibleError, ...]

    @property
    def form(self) -> ShareForm:
        """What the ring's shares must be."""
        widths, sets = self.exchange.widths, self.exchange.sets
        return errors_form(widths, sets, self._noise, self._powers(), self.exchange.trainers)

    def untrue(
        self,
        key: PublicKey,
        product: Sequence[Ciphertext],
        body: RingOpening,
        known: tuple[Share, Share],
        randomness: Randomness,
    ) -> list[Address]:
        """Those whose errors are not as the buyer says, by a maker that knows two of the three shares.

        Raises ProtocolViolation("bad_opening") where the openings are not those of the product.
        """
        openings = [
            Opening(mpz(one.plaintext), mpz(one.root)) for row in body.vectors for one in row.openings
        ]
        require(len(openings) == len(product), BAD_OPENING, f"{len(openings)} of {len(product)} openings")
        fits = verify_openings(key, product, openings, randomness)
        require(fits, BAD_OPENING, "an opening is not what its ciphertext holds")
        powers, exchange = self._powers(), self.exchange
        plaintexts = [int(one.plaintext) for one in openings]
        seen = seen_errors(exchange.widths, exchange.sets, plaintexts, known, list(powers), exchange.trainers)
        # The start's error is seen under a share; so limits lie between these.
        least = self._limits(None if seen.start is None else max(0, seen.start - self._noise))
        most = self._limits(None if seen.start is None else seen.start + len(Maker) * self._noise)
        names = self.parties.addresses(self.trainers)
        return [
            names[place]
            for place, power in powers.items()
            if not is_borne_out(
                seen.own[place], power, share_bound(exchange.widths, self._noise, power), least, most
            )
        ]

    @property
    def _noise(self) -> int:
        return noise_bound(self.weights, self.request.target_range)

    def _powers(self) -> dict[int, int]:
        """By the trainer's place in the round."""
        places = self.parties.addresses(self.trainers)
        return {places.index(one.trainer): one.power for one in self.named}

    def _limits(self, start: int | None) -> Limits:
        unseen = (0,) * self.exchange.trainers
        return error_limits(Measured(start, unseen, unseen), self.weights, self.request, self.link)
