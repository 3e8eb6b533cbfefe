"""A round as the buyer saw it: what it answered, what all members signed, what it opened."""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, read_ciphertexts, verify_openings
from protocol.crypto.ring.context import Purpose
from protocol.learning.projection.answer import is_zero
from protocol.learning.projection.countersigning import zero_test_digest
from protocol.messages.rounds import (
    AttemptAnnounced,
    MetricOpeningRequest,
    MomentAnswer,
    MomentRequest,
    ProjectionAnswer,
    ProjectionRequest,
    RingOpening,
    RingOpeningRequest,
    ZeroTestRequest,
    ZeroTestResult,
)
from protocol.messages.rounds.values import START_OF, Shown
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import numbers_digest, ring_context
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.rounds.widths import checked_widths
from protocol.signatures import recover_address
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.next_model import require_ring
from protocol.verification.opening import Agreed
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining


def agreed_by_buyer(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt
) -> tuple[Agreed, list[Check]]:
    """What all members signed, and that it is of what the buyer answered; raises VerificationFailed."""
    with naming("attempt_announced", at.round):
        checkers = _checkers(contents, training, record, at)
    with naming("metric_opening_request", at.round):
        agreed = _agreed(contents, training, record, at, checkers)
    with naming("moment_answer", at.round):
        _require_exchange(contents, training, at, agreed)
    with naming("zero_test_result", at.round):
        tests = sum(_zero_test(contents, training, at, checkers, place) for place in (0, 1))
    with naming("ring_opening", at.round):
        sums = require_ring(contents, training, at, checkers, agreed.facts.digests.product)
        sums += _require_sums(contents, training, at)
    return agreed, [
        Check(name="members' signatures of the product", count=record.validators.bit_count()),
        Check(name="exchange of moments, the one that was signed"),
        Check(name="zero tests, countersigned", count=tests),
        Check(name="next model's ring: signatures and openings", count=sums),
    ]


def _checkers(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt
) -> tuple[str, str]:
    body = contents.only(AttemptAnnounced, at, training.request.aggregator)
    members = training.parties.mask(body.members)
    require(members == record.validators, "wrong_members", "not those in the record")
    hashed = draw_hash(contents.header.market, training.training, training.parties)
    return attempt_checkers(training.parties, members, at, hashed)


def _agreed(
    contents: Contents,
    training: VerifiedTraining,
    record: RoundRecord,
    at: RoundAttempt,
    checkers: tuple[str, str],
) -> Agreed:
    body = contents.only(MetricOpeningRequest, at, training.request.aggregator)
    widths = checked_widths(training.request, training.parties).moments
    sets = widths.sets(body.facts.trainers.bit_count(), START_OF[body.facts.start])
    product = read_ciphertexts(training.key, body.product, len(sets))
    require(body.facts.members == record.validators, "wrong_members", "not those in the record")
    require(body.facts.trainers == record.trainers, "wrong_trainers", "not those in the record")
    makers = ring_context(training.identity, at, Purpose.METRIC, training.request.aggregator, checkers)
    agreed = Agreed(product, body.facts, makers)
    members, digest = training.parties.addresses(record.validators), agreed.digest(training)
    require(len(body.signatures) == len(members), "not_agreed", f"{len(body.signatures)} signatures")
    for member, signature in zip(members, body.signatures, strict=True):
        require(recover_address(digest, signature) == member, "not_agreed", f"{member} has not signed this")
    return agreed


def _require_exchange(
    contents: Contents, training: VerifiedTraining, at: RoundAttempt, agreed: Agreed
) -> None:
    """The exchange that the facts name; of a round that was asked about before, that one is discarded."""
    facts, aggregator, buyer = agreed.facts, training.request.aggregator, training.opened.buyer
    asked_for = [body_of(one, MomentRequest) for one in contents.signed(MomentRequest, at, aggregator)]
    told_of = [body_of(one, MomentAnswer) for one in contents.signed(MomentAnswer, at, buyer)]
    require(bool(asked_for), "missing_message", f"no moment_request of {aggregator}")
    require(bool(told_of), "missing_message", f"no moment_answer of {buyer}")
    digest = facts.digests.request
    asked = next((one for one in asked_for if numbers_digest(one.masked) == digest), None)
    answered = next((one for one in told_of if one.request_digest == digest), None)
    require(asked is not None, "other_exchange", "another question")
    require(answered is not None, "other_exchange", "of another question")
    assert asked is not None
    assert answered is not None
    require(numbers_digest(answered.numbers) == facts.digests.answer, "other_exchange", "another answer")
    told = (asked.trainers, asked.start)
    require(told == (facts.trainers.bit_count(), facts.start), "other_exchange", "of other trainers")


def _zero_test(
    contents: Contents, training: VerifiedTraining, at: RoundAttempt, checkers: tuple[str, str], place: int
) -> int:
    """One checker's: countersigned by the other, of the question that was answered, and proven zero."""
    asker, other, buyer = checkers[place], checkers[1 - place], training.opened.buyer
    answer = contents.only(ProjectionAnswer, at, buyer, asker)
    question = _answered(contents, at, asker, answer.request_digest)
    tested = contents.only(ZeroTestRequest, at, asker)
    result = contents.only(ZeroTestResult, at, buyer, asker)
    key = training.key
    request, numbers = (read_ciphertexts(key, one, len(one)) for one in (question.masked, answer.numbers))
    (zero,) = read_ciphertexts(key, [tested.zero], 1)
    signer = recover_address(zero_test_digest(key, request, numbers, zero), tested.signature)
    require(signer == other, "not_countersigned", f"signed by {signer}, not by {other}")
    chance = training.chance(f"zero test {at} {asker}").randomness()
    shown = result.opening
    proven = shown is not None and is_zero(key, zero, _opening(shown), chance)
    require(proven, "not_zero", f"the test of {asker}")
    return 1


def _answered(contents: Contents, at: RoundAttempt, asker: str, digest: bytes) -> ProjectionRequest:
    """The question that was answered: a checker that asks another one as well spoils nobody's transcript."""
    asked = [body_of(one, ProjectionRequest) for one in contents.signed(ProjectionRequest, at, asker)]
    require(bool(asked), "missing_message", f"no projection_request of {asker}")
    found = [one for one in asked if numbers_digest(one.masked) == digest]
    require(bool(found), "other_request", asker)
    return found[0]


def _require_sums(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> int:
    """The buyer's own openings are those of the signed product; how many there are."""
    asked = contents.only(RingOpeningRequest, at, training.request.aggregator)
    answered = contents.only(RingOpening, at, training.opened.buyer)
    product = read_ciphertexts(training.key, asked.product, len(asked.product))
    openings = [_opening(one) for vector in answered.vectors for one in vector.openings]
    require(len(openings) == len(product), "bad_opening", f"{len(openings)} of {len(product)} sums")
    chance = training.chance(f"sums {at}").randomness()
    require(verify_openings(training.key, product, openings, chance), "bad_opening", "not of the sums")
    return len(openings)


def _opening(shown: Shown) -> Opening:
    return Opening(mpz(shown.plaintext), mpz(shown.root))
