"""Whose doing is it? An attempt that the buyer's own word is against ends the training with who it was.

The request is made again and the next model shown to be the answer's by every member, before anything is
opened. So what is left is the buyer, or a trainer so far out of its range that its weights carry. The order
is that of how surely somebody is named:

1. of a test that the buyer denies it shows what it was asked, what it answered, and the test (`on_evidence`);
2. where that is as it says, or sums are said to be out of range, the trainers' ranges are opened in a ring of
   the same three makers: a trainer out of range is named;
3. with all of them in range the buyer's answer is what is left.

Errors that it says are implausible have the ranges opened as well. With all of them in range the errors that
it has named, or members' parts of one that it says is negative, are opened to the same three makers
(`errors`). Where it has named nothing, nobody is at fault: a validator's matrix that makes errors larger than
anything has an honest buyer say the same.
"""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import request_length
from protocol.learning.projection.answer import (
    Asked,
    Evidence,
    Finding,
    projection_answer_length,
    read_projection_answer,
)
from protocol.learning.projection.countersigning import zero_test_digest
from protocol.messages import OpeningRefused
from protocol.messages.rounds import (
    CheckVerdict,
    RangesAsked,
    RingOpening,
    ZeroTestConsent,
    ZeroTestEvidence,
    ZeroTestEvidenceRequest,
)
from protocol.messages.rounds.values import START_OF
from protocol.roles.aggregator.attempts import (
    AgreedLane,
    CheckedAttempt,
    CheckingLane,
    QuestioningLane,
    RangingLane,
    UnmaskedAttempt,
)
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import Answer, attempt_out_of_order
from protocol.roles.aggregator.rounds.errors import RING_STEPS, on_errors_opened, open_errors
from protocol.roles.aggregator.rounds.shown import shown
from protocol.roles.aggregator.rounds.view import AttemptView
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import BlobRef, replace, store
from protocol.roles.rounds.implausible import require_named, require_negative
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.opened_ranges import out_of_range
from protocol.roles.rounds.ring import known_shares, ring_begin
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.shared.parties import require_sender
from protocol.signatures import recover_address
from protocol.types import Address

RangesStep = Step[TrainingState | EndingState]

_REFUSED = "opening_refused"

# ---- what the buyer was asked, and answered ----


def ask_for_evidence(
    state: TrainingState, lane: CheckingLane, complaint: Received[CheckVerdict], context: Context
) -> Step[TrainingState]:
    """Have the buyer show what it was asked, now that a checker shows that it has denied its test."""
    kept, blob = store(complaint.signed)
    unmasked = dict(lane.without_masks())
    questioning = QuestioningLane(**unmasked, complaint=kept, checker=complaint.sender)
    body = ZeroTestEvidenceRequest(checker=complaint.sender)
    sent = message(context, state.opened.buyer, body, lane.at)
    due = timers.CHECKS.set(state.step_seconds, lane.at)
    return Step(replace(state, evaluation=questioning), (blob, sent, due))


def on_evidence(state: TrainingState, received: Received[ZeroTestEvidence], context: Context) -> RangesStep:
    """Name the buyer where it answered falsely or denied a zero; else have the trainers' ranges opened.

    Raises StaleInput where nothing is asked any more, ProtocolViolation("wrong_evidence") for another
    checker's test.
    """
    require_sender(received.sender, state.opened.buyer)
    lane = state.evaluation
    if not isinstance(lane, QuestioningLane) or received.at != lane.at:
        raise StaleInput
    require(received.body.checker == lane.checker, "wrong_evidence", f"of {received.body.checker}")
    finding = _finding(AttemptView(state, context, lane), lane, received.body, context)
    match finding:
        case Finding.NOT_ZERO:
            return open_ranges(state, lane, lane.complaint, context)
        case Finding.FALSE_OPENING:
            code = "bad_opening"
        case Finding.WRONG_PRODUCTS:
            code = "wrong_products"
        case Finding.ZERO:
            code = "zero_denied"
    return give_up(state, code, context, fault=state.opened.buyer)


def _finding(view: AttemptView, lane: QuestioningLane, body: ZeroTestEvidence, context: Context) -> Finding:
    """What is shown, of the question that the other checker has signed; of any other it proves nothing."""
    asked = _asked(view, lane, body, context)
    if asked is None:
        return Finding.FALSE_OPENING
    openings = [Opening(mpz(one.plaintext), mpz(one.root)) for one in body.openings]
    if not openings:
        return Finding.FALSE_OPENING
    count = len(asked.request)
    evidence = Evidence(tuple(openings[:count]), tuple(openings[count:-1]), openings[-1])
    return asked.judge(evidence, context.randomness(Label.DENIED_TEST))


def _asked(
    view: AttemptView, lane: QuestioningLane, body: ZeroTestEvidence, context: Context
) -> Asked | None:
    """The question as the buyer shows it, if it is the one that the other checker has signed."""
    key, consent = view.state.key, _consent_of(view, lane, context)
    sets, widths = view.moments.sets, view.widths.projection
    try:
        asked, told = request_length(sets, widths), projection_answer_length(sets, widths.targets)
        request = read_ciphertexts(key, body.request, asked)
        numbers = read_ciphertexts(key, body.answer, told)
        (zero,) = read_ciphertexts(key, [consent.zero], 1)
        signer = recover_address(zero_test_digest(key, request, numbers, zero), consent.signature)
        answer = read_projection_answer(numbers, sets, widths.targets)
    except ProtocolViolation:
        return None
    if signer != view.other_checker(lane.checker):
        return None
    return Asked(key, tuple(request), answer, zero, view.moments.trainers, sets, widths)


def _consent_of(view: AttemptView, lane: QuestioningLane, context: Context) -> ZeroTestConsent:
    """The other checker's, which was looked at when the complaint came."""
    verdict = body_of(lane.complaint.load(SignedMessage, context), CheckVerdict)
    other = view.other_checker(lane.checker)
    consent = shown(view, verdict, lane.checker, "zero_test_consent", other)
    assert isinstance(consent, ZeroTestConsent)
    return consent


# ---- the trainers' ranges ----


def open_ranges(
    state: TrainingState,
    lane: UnmaskedAttempt,
    complaint: BlobRef,
    context: Context,
    metrics: tuple[Answer, ...] = (),
) -> Step[TrainingState]:
    """Ask both checkers for a ring over all trainers' updates; `complaint` shows them why.

    `metrics` are the attempt's, where it is about errors.
    """
    view = AttemptView(state, context, lane)
    begun = ring_begin(view.ring(Purpose.RANGES), view.ranges.statement(), context)
    fields = {name: getattr(lane, name) for name in UnmaskedAttempt.model_fields}
    ranging = RangingLane(**fields, complaint=complaint, metrics=metrics, ring=begun.ring)
    body = RangesAsked(complaint=complaint.load(SignedMessage, context))
    asked = [message(context, checker, body, lane.at) for checker in view.checkers]
    due = timers.CHECKS.set(RING_STEPS * state.step_seconds, lane.at)
    return Step(replace(state, evaluation=ranging), effects_of(asked, begun.effects, due))


def on_opening_refused(
    state: TrainingState, received: Received[OpeningRefused], context: Context
) -> RangesStep:
    """The buyer says that a round's errors are implausible: nothing of them may be published.

    Before anybody is named for it, it is seen whether a trainer is out of range. Raises
    ProtocolViolation("attempt_out_of_order") where no errors are due.
    """
    require_sender(received.sender, state.opened.buyer)
    lane = state.evaluation
    if 1 <= received.at.round <= state.link.round:
        raise StaleInput  # others have had the round recorded
    if not isinstance(lane, AgreedLane) or lane.at != received.at:
        raise attempt_out_of_order(received.at)
    if lane.answered is None:
        return give_up(state, "implausible", context)
    require_named(received.body.named, state.parties, lane.trained.trainers)
    require_negative(received.body, state.parties, lane.trained.trainers, START_OF[lane.facts.start])
    kept, blob = store(received.signed)
    step = open_ranges(state, lane.answered, kept, context.knowing((blob,)), lane.metrics)
    return Step(step.state, (blob, timers.OPENING.cancel(lane.at), *step.effects))


def on_ring_opening(state: TrainingState, received: Received[RingOpening], context: Context) -> RangesStep:
    """Name every trainer out of range; with none, the buyer: there is nobody else left.

    Where it is about errors, those that were named are opened next, or judged (`errors`). We know two of the
    three masks, as each checker does: of an honest trainer's sums nothing is seen.
    Openings that are none are the buyer's fault. Raises StaleInput where nothing is to be opened any more.
    """
    require_sender(received.sender, state.opened.buyer)
    lane = state.evaluation
    if not isinstance(lane, RangingLane) or received.at != lane.at or lane.opened is None:
        raise StaleInput
    if lane.ring.purpose == Purpose.ERRORS.value:
        return on_errors_opened(state, lane, received, context)
    require(Purpose(received.body.purpose) is Purpose.RANGES, "wrong_purpose", received.body.purpose)
    try:
        places = _outside(AttemptView(state, context, lane), lane, received.body, context)
    except ProtocolViolation:
        return give_up(state, "bad_opening", context, fault=state.opened.buyer)
    if not places and lane.complaint.load(SignedMessage, context).envelope.type == _REFUSED:
        return open_errors(state, lane, received.signed, context)
    if not places:
        return give_up(state, "wrong_moments", context, fault=state.opened.buyer)
    trainers = state.parties.addresses(lane.trained.trainers)
    return _named(state, lane, [trainers[place] for place in places], context)


def _outside(view: AttemptView, lane: RangingLane, body: RingOpening, context: Context) -> list[int]:
    assert lane.opened is not None
    numbers = lane.opened.load(SharedNumbers, context).numbers
    product = read_ciphertexts(view.state.key, numbers, len(numbers))
    known = known_shares(lane.ring, view.ring(Purpose.RANGES), context)
    chance = context.randomness(Label.JUDGED_RANGES)
    return out_of_range(view.state.key, view.widths.ranges, product, body, known, chance)


def _named(
    state: TrainingState, lane: CheckedAttempt, trainers: list[Address], context: Context
) -> RangesStep:
    code = "out_of_range"
    said = [facts.COMPLAINT.of(accused=one, round=lane.at.round, code=code) for one in trainers]
    step = give_up(state, code, context, fault=trainers[0])
    return Step(step.state, (*said, *step.effects))


# ---- silence, and lies, in the ring ----


def on_late(state: TrainingState, lane: QuestioningLane | RangingLane, context: Context) -> RangesStep:
    """The buyer is named for not showing what it must; of checkers everybody is told who is silent.

    So is the buyer where it has refused an opening: a checker that it opened to has gone on.
    """
    if isinstance(lane, QuestioningLane) or len(lane.consents) == len(lane.ring.committed):
        return give_up(state, "buyer_silent", context, fault=state.opened.buyer)
    checkers = zip(AttemptView(state, context, lane).checkers, lane.ring.committed[1:], strict=True)
    signed = dict(lane.consents)
    missing = [(one, part) for one, part in checkers if one not in signed]
    # Who has not committed waits for nobody but us; anybody else may wait for the other checker.
    silent = [one for one, part in missing if part is None] or [one for one, _part in missing]
    refused = lane.complaint.load(SignedMessage, context).envelope.type == _REFUSED
    seats = state.parties.mask(tuple(silent))
    code = "errors_late" if lane.ring.purpose == Purpose.ERRORS.value else "ranges_late"
    return give_up(state, code, context, silent=seats, silent_buyer=refused)


def spoilt(state: TrainingState, lane: RangingLane, liar: Address, code: str, context: Context) -> RangesStep:
    """A checker that spoils the ring is to blame for the end: nothing is opened under another one."""
    fact = facts.COMPLAINT.of(accused=liar, round=lane.at.round, code=code)
    step = give_up(state, "too_few_validators", context, fault=liar)
    return Step(step.state, (fact, *step.effects))
