"""Own errors that the buyer says are too large, or negative: what it may say, and when it may be looked at.

Nobody sits a round out on its word, and nobody is at fault by it. Aggregator and both checkers open what was
named in a ring of their own, and each sees for itself whether it is what the buyer says (`opened_errors`).
"""

from collections.abc import Mapping, Sequence

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.learning.checked_openings.noise import noise_bound
from protocol.learning.judgement.implausibility import power_of
from protocol.learning.judgement.negativity import Depths
from protocol.learning.judgement.plausibility import gram_rounding
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.messages import OpeningRefused
from protocol.messages.opening import ImplausibleError, NegativeError
from protocol.messages.rounds.values import START_OF, AttemptFacts, StartMeasured
from protocol.records import Market
from protocol.request import Request
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.members import member_weights
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
    where all trainers' own errors are plausible: it is not theirs to sit out then.
    """
    found = _found(facts, plaintexts, widths)
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
    return tuple(named)


def negative_error(
    facts: AttemptFacts,
    plaintexts: Sequence[int],
    *,
    request: Request,
    parties: Parties,
    widths: MomentWidths,
) -> NegativeError | None:
    """The own error that the buyer says is furthest below nothing, by opened plaintexts.

    None where none is so far below that a member must be (`judgement.negativity`), or beyond all that
    members can come to.
    """
    found = _found(facts, plaintexts, widths)
    if found is None:
        return None
    weights = member_weights(parties, facts.members)
    own: dict[Address | None, int] = dict(zip(parties.addresses(facts.trainers), found.own, strict=True))
    if found.start is not None:
        own[None] = found.start
    furthest = min(own, key=lambda one: own[one])
    depth = depths_of(weights, facts.trainers, request).depth_of(own[furthest])
    return None if depth is None else NegativeError(trainer=furthest, depth=depth)


def _found(facts: AttemptFacts, plaintexts: Sequence[int], widths: MomentWidths) -> Measured | None:
    start = START_OF[facts.start]
    return measured(plaintexts, widths.sets(facts.trainers.bit_count(), start), widths, start)


def depths_of(weights: Mapping[Address, int], trainers: Seats, request: Request) -> Depths:
    """How far below nothing errors of members that weigh so much may be said to be."""
    total = sum(weights.values())
    rounding = gram_rounding(total, request.parameters, request.weight_bits)
    unit = noise_bound(total, request.target_range)
    return Depths(members=len(weights), unit=unit, tolerance=rounding * trainers.bit_count())


def is_affordable(
    trainers: Seats, named: int, start: StartMeasured, request: Request, link: TranscriptHead
) -> bool:
    """Whether owners' budgets hold a repetition of the round after `link` without so many of its trainers.

    The buyer has seen 2·T numbers, all of which count for the round (`owner.budget`), and sees others in the
    repetition: the remaining trainers' mean products with another sum, and v₀ once more where it is secret.
    All by the same members, without whom nothing is opened.
    What owners have reserved for the training holds them, as those who are named are missing in all rounds
    that follow: two numbers each. Of folds only the same one's rounds count: in another they may validate.
    """
    others = trainers.bit_count() - named + int(START_OF[start] is Start.ENCRYPTED)
    schedule = request.schedule
    following = (schedule.fold_of(link.round + 1) + 1) * schedule.fold_rounds - (link.round + 1)
    return others <= 2 * named * following


def require_named(named: Sequence[ImplausibleError], parties: Parties, trainers: Seats) -> None:
    """Raise ProtocolViolation("wrong_refusal") unless each is a trainer of the round, once, in seat order."""
    names = tuple(one.trainer for one in named)
    mask = parties.mask(names)
    require(names == parties.addresses(mask), _WRONG, "trainers twice, or out of order")
    require(mask & ~trainers == 0, _WRONG, "somebody who has no update in the round")


def require_negative(said: OpeningRefused, parties: Parties, trainers: Seats, start: Start) -> None:
    """Raise ProtocolViolation("wrong_refusal") unless a negative error is of the round, and nobody is named.

    What one and the other have opened is not the same.
    """
    if said.negative is None:
        return
    require(not said.named, _WRONG, "trainers beside a negative error")
    trainer = said.negative.trainer
    if trainer is None:
        require(start is not Start.UNMEASURED, _WRONG, "the start's error, which is not measured")
        return
    require(trainer in parties.addresses(trainers), _WRONG, "somebody who has no update in the round")


def read_refusal(
    signed: SignedMessage, market: Market, training: int, at: RoundAttempt, buyer: Address
) -> tuple[Address, ...]:
    """Whom the buyer has named in its signed word against an attempt: who sits the rest of the training out.

    Raises ProtocolViolation("wrong_refusal") for another message, one that names nobody, or with which the
    training ends; as `SignedMessage.verify` and `body_of` do.
    """
    envelope = signed.envelope
    place = (envelope.type, envelope.sender, envelope.training, envelope.round, envelope.attempt)
    require(place == ("opening_refused", buyer, training, *at), _WRONG, "not the buyer's of that attempt")
    signed.verify(market)
    said = body_of(signed, OpeningRefused)
    require(bool(said.named), _WRONG, "nobody is named")
    require(not said.is_final, _WRONG, "with it the training ends, and no round is repeated")
    return tuple(one.trainer for one in said.named)
