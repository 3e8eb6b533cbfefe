"""From what the buyer opens to the record that all sign: aggregator, members and buyer each make it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.crypto.cipher import Ciphertext
from protocol.crypto.fixed_point import encode
from protocol.crypto.ring.context import Maker
from protocol.learning.checked_openings.noise import noise_bound
from protocol.learning.judgement.plausibility import Limits, first_reference, gram_rounding
from protocol.learning.moments.widths import MomentWidths, SlotSet, Start
from protocol.learning.scales import ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.learning.shapley import mse_after_fixed
from protocol.messages.rounds.values import START_OF, AttemptFacts
from protocol.records import FIXED_POINT, METRIC_BOUND, RoundRecord
from protocol.request import Request
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import transcript_digest
from protocol.roles.rounds.members import member_weights
from protocol.roles.shared.parties import Parties, is_last
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import RoundAttempt

PRODUCT_SCALE = 2 * UPDATE_SCALE + ENTRY_SCALE
"""Of the opened sums of squared residuals."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An attempt's opened sums over its members, integers at `PRODUCT_SCALE` times Σw, with their noise.

    `start` is None where it is not measured; `own` and `cross` are in the order of trainers.
    """

    start: int | None
    own: tuple[int, ...]
    cross: tuple[int, ...]


class Metrics(NamedTuple):
    """v₀ (where measured), q and c as target² × 1e18."""

    start: int | None
    own: list[int]
    cross: list[int]


@dataclass(frozen=True, slots=True)
class OpenedProduct:
    """The ciphertexts of an attempt's noisy product, as openings of it are signed (`accusing.Attested`)."""

    training: int
    round: int
    products: tuple[Ciphertext, ...] = field(repr=False)


def require_facts(facts: AttemptFacts, parties: Parties, link: TranscriptHead, at: RoundAttempt) -> None:
    """Check what an attempt says of itself against the chain of rounds and the drawn parties.

    Raises ProtocolViolation: "round_out_of_order", "not_a_trainer", "not_a_validator",
    "too_few_validators", "updates_out_of_order" or "too_few_metrics" for other numbers of them than of
    parties, "wrong_start_model", "wrong_start_measurement", or "model_of_an_earlier_round".
    """
    require(at.round == link.round + 1, "round_out_of_order", f"round {at.round} after {link.round}")
    trainers, members = facts.trainers.bit_count(), facts.members.bit_count()
    require(facts.trainers & ~parties.trainers == 0 and trainers >= 2, "not_a_trainer")
    require(facts.members & ~parties.validators == 0, "not_a_validator")
    enough = members >= max(2, parties.quorum)
    require(enough, "too_few_validators", f"{members} members; at least {parties.quorum}")
    require(len(facts.digests.updates) == trainers, "updates_out_of_order", "one of each trainer")
    require(len(facts.metrics) == members, "too_few_metrics", f"{len(facts.metrics)} of {members} members")
    require(facts.digests.start == link.model_digest, "wrong_start_model")
    require(START_OF[facts.start] is expected_start(link, facts.members), "wrong_start_measurement")
    require(not link.names(facts.digests.model), "model_of_an_earlier_round")


def expected_start(link: TranscriptHead, members: int) -> Start:
    """How the next round's start is measured by these members: not, where its error is public already."""
    if not link.measures_start(members):
        return Start.UNMEASURED
    return Start.PUBLIC if link.is_at_start else Start.ENCRYPTED


def measured(
    plaintexts: Sequence[int], sets: Sequence[SlotSet], widths: MomentWidths, start: Start
) -> Measured | None:
    """The sums in an opened product, a plaintext for each slot set.

    None where something stands above the slots or a value is beyond what honest members can come to: it
    would be a channel of hundreds of bits.
    """
    flat: list[int] = []
    for plaintext, one in zip(plaintexts, sets, strict=True):
        *values, above = widths.values(one, int(plaintext))
        if above or any(abs(value) >= widths.products.offset for value in values):
            return None
        flat += values
    first = flat.pop(0) if start is not Start.UNMEASURED else None
    return Measured(first, tuple(flat[::2]), tuple(flat[1::2]))


def record_of(
    facts: AttemptFacts,
    plaintexts: Sequence[int],
    *,
    training: int,
    at: RoundAttempt,
    request: Request,
    parties: Parties,
    widths: MomentWidths,
    link: TranscriptHead,
) -> RoundRecord | None:
    """The record of facts that passed `require_facts` and opened plaintexts; None if they are implausible.

    So is what the contract would refuse.
    """
    start = START_OF[facts.start]
    found = measured(plaintexts, widths.sets(facts.trainers.bit_count(), start), widths, start)
    weights = sum(member_weights(parties, facts.members).values())
    if found is None or not _is_plausible(found, weights, request, link):
        return None
    errors = _in_fixed_point(found, weights)
    before = link.mse_after if errors.start is None else errors.start
    after = mse_after_fixed(errors.cross, len(errors.own))
    if before <= 0 or after < 0:
        return None
    left = link.left_after(before, after)
    if max(before, left, *errors.own, *map(abs, errors.cross)) >= METRIC_BOUND:
        return None
    model = facts.digests.model
    return RoundRecord(
        training=training,
        round=at.round,
        last=is_last(request, at.round, before, after, left),
        trainers=facts.trainers,
        validators=facts.members,
        mse_before=before,
        own=tuple(errors.own),
        cross=tuple(errors.cross),
        model_digest=model,
        delivered_digest=link.delivered_after(model, left, request.schedule),
        transcript_digest=transcript_digest(link.transcript, facts),
    )


def _in_fixed_point(found: Measured, weights: int) -> Metrics:
    """Means over Σw, × 1e18; a square that rounding has made a little less than nothing is nothing."""

    def mean(value: int) -> int:
        return value * FIXED_POINT // (weights << PRODUCT_SCALE)

    start = None if found.start is None else max(0, mean(found.start))
    return Metrics(start, [max(0, mean(one)) for one in found.own], [mean(one) for one in found.cross])


def _is_plausible(found: Measured, weights: int, request: Request, link: TranscriptHead) -> bool:
    limits = error_limits(found, weights, request, link)
    if found.start is not None and not -limits.rounding <= found.start <= limits.own + limits.noise:
        return False
    return all(map(limits.admits_own, found.own)) and all(map(limits.admits_cross, found.cross))


def error_limits(found: Measured, weights: int, request: Request, link: TranscriptHead) -> Limits:
    """What each sum of an attempt whose members weigh so much together may be.

    Of max(v₀, best): the start's error, opened now or by an earlier round, and the best recorded one; in the
    first round of what a public start can err by.
    """
    trainers = len(found.own)
    rounding = gram_rounding(weights, request.parameters, request.weight_bits) * trainers
    noise = len(Maker) * noise_bound(weights, request.target_range)
    if link.is_at_start:
        start = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
        reference = first_reference(start, weights, len(request.outputs))
        return Limits.of(trainers, reference, rounding, noise)
    known = max(link.mse_after if found.start is None else 0, link.best)
    reference = max(found.start or 0, -(-(known * weights << PRODUCT_SCALE) // FIXED_POINT))
    return Limits.of(trainers, reference, rounding, noise)
