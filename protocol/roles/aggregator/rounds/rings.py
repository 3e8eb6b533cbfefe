"""The aggregator's place in both rings: a next model's check, then the noise on the errors."""

from collections.abc import Callable

from protocol.crypto.cipher import Ciphertext, read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import (
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpeningRequest,
    RingShared,
    ShownNoise,
)
from protocol.roles.aggregator.attempts import AgreeingLane, CheckingLane, RangingLane
from protocol.roles.aggregator.rounds.checking import require_current
from protocol.roles.aggregator.rounds.evidence import CHECK_STEPS, AttemptStep, next_attempt
from protocol.roles.aggregator.rounds.ranges import spoilt
from protocol.roles.aggregator.rounds.shown import read_signed
from protocol.roles.aggregator.rounds.view import AttemptView
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds import ring as rings
from protocol.roles.rounds.products import with_shares
from protocol.roles.rounds.ring_state import RingState, RingStep, RingView, SharedNumbers
from protocol.signatures import recover_address, sign_digest
from protocol.types import Address, RoundAttempt

RingMessage = RingCommitted | RingNonce | RingShared
RingLane = CheckingLane | RangingLane | AgreeingLane
Advance = Callable[[RingState, RingView], RingStep]


def on_ring_committed(
    state: TrainingState, received: Received[RingCommitted], context: Context
) -> AttemptStep:
    """A checker commits; of something else than what everybody was shown, it is out."""
    lane = _ring_lane(state, received)
    maker = AttemptView(state, context, lane).ring(Purpose(lane.ring.purpose)).maker_of(received.sender)
    if _is_of_something_else(lane.ring, maker, received.body):
        return _without(state, lane, received.sender, "other_statement", context)
    return _advanced(
        state, received, lambda ring, view: rings.on_committed(ring, view, received, context), context
    )


def _is_of_something_else(ring: RingState, maker: Maker, body: RingCommitted) -> bool:
    first = body.purpose == ring.purpose and ring.committed[maker] is None
    return first and body.statement != ring.statement


def on_ring_nonce(state: TrainingState, received: Received[RingNonce], context: Context) -> AttemptStep:
    """A checker shows its nonce."""
    return _advanced(
        state, received, lambda ring, view: rings.on_nonce(ring, view, received, context), context
    )


def on_ring_shared(state: TrainingState, received: Received[RingShared], context: Context) -> AttemptStep:
    """A checker shows its share, the second one its seed with it."""
    return _advanced(
        state, received, lambda ring, view: rings.on_shared(ring, view, received, context), context
    )


def _advanced(
    state: TrainingState, received: Received[RingMessage], advance: Advance, context: Context
) -> AttemptStep:
    """The ring after a message, and what follows once it is complete."""
    lane = _ring_lane(state, received)
    view = AttemptView(state, context, lane)
    step = advance(lane.ring, view.ring(Purpose(lane.ring.purpose)))
    if step.ring == lane.ring:
        return Step.unchanged(state)
    lane = replace(lane, ring=step.ring)
    after, known = replace(state, evaluation=lane), context.knowing(step.effects)
    if step.ring.refused:
        # We have made the second checker's share again from its own signed seed: it is another one.
        liar = view.checkers[1]
        gone = _without(after, lane, liar, "false_share", known)
        return Step(gone.state, (*step.effects, *gone.effects))
    if not step.ring.is_complete:
        return Step(after, step.effects)
    complete = _with_product(after, lane, known)
    return Step(complete.state, (*step.effects, *complete.effects))


def _ring_lane(state: TrainingState, received: Received[RingMessage | RingConsent]) -> RingLane:
    """The lane whose ring a message is for; raises StaleInput for the first ring's after its end."""
    lane = require_current(state, received)
    if not isinstance(lane, RingLane):
        raise StaleInput
    purpose = Purpose(received.body.purpose)
    if not isinstance(lane, CheckingLane) and purpose is Purpose.NEXT_MODEL:
        raise StaleInput
    if lane.ring.purpose == Purpose.ERRORS.value and purpose is Purpose.RANGES:
        raise StaleInput
    if lane.ring.purpose == Purpose.RANGES.value and purpose is Purpose.ERRORS:
        raise EarlyInput  # that checker has seen all trainers in range before us
    return lane


def _without(state: TrainingState, lane: RingLane, liar: Address, code: str, context: Context) -> AttemptStep:
    """The next attempt without the checker that lies; of trainers' ranges there is no second ring."""
    if isinstance(lane, RangingLane):
        return spoilt(state, lane, liar, code, context)
    fact = facts.COMPLAINT.of(accused=liar, round=lane.at.round, code=code)
    step = next_attempt(state, lane, 1 << state.parties.seat_of(liar), code, context)
    return Step(step.state, (fact, *step.effects))


def _with_product(state: TrainingState, lane: RingLane, context: Context) -> Step[TrainingState]:
    """With three shares the product is formed: signed, or shown to all members to be signed."""
    if not isinstance(lane, AgreeingLane):
        return _sign_sums(state, lane, context)
    view = AttemptView(state, context, lane)
    shares = rings.shares_of(lane.ring, view.ring(Purpose.METRIC), context)
    made = with_shares(state.key, view.weighted(lane.metrics), shares)
    kept, blob = store(SharedNumbers(numbers=tuple(write_ciphertexts(state.key, made))))
    body = ShownNoise(shares=tuple(tuple(write_ciphertexts(state.key, one)) for one in shares))
    members = state.parties.addresses(lane.validators)
    sent = [message(context, member, body, lane.at) for member in members]
    # A member's silence names it: its time begins now, however late a checker has shown its share.
    due = timers.CONSENTS.set(CHECK_STEPS * state.step_seconds, lane.at)
    return Step(replace(state, evaluation=replace(lane, product=kept)), (blob, *sent, due))


# ---- sums: the next model's, and the trainers' ----


def _sign_sums(
    state: TrainingState, lane: CheckingLane | RangingLane, context: Context
) -> Step[TrainingState]:
    view = AttemptView(state, context, lane)
    place = view.ring(Purpose(lane.ring.purpose))
    made = rings.product(lane.ring, place, _opened(view, lane, place), context)
    digest = rings.digest_to_sign(lane.ring, place, made, context)
    kept, blob = store(SharedNumbers(numbers=tuple(write_ciphertexts(state.key, made.ciphertexts))))
    own = (context.address, sign_digest(context.signing_key, digest))
    signed = replace(lane, opened=kept, product=digest, consents=(own,))
    return Step(replace(state, evaluation=signed), (blob,))


def _opened(view: AttemptView, lane: CheckingLane | RangingLane, place: RingView) -> list[Ciphertext]:
    """What is opened under the ring's shares: sums under vectors that nobody chose, or all errors."""
    if isinstance(lane, RangingLane) and place.context.purpose is Purpose.ERRORS:
        return view.said.opened(view.metrics(lane.metrics))
    check = view.ranges if isinstance(lane, RangingLane) else view.next_model
    return list(check.sums(rings.chance(lane.ring, place)))


def on_ring_consent(state: TrainingState, received: Received[RingConsent], context: Context) -> AttemptStep:
    """A checker signs the product of sums; with both signatures the buyer opens it to the checkers.

    Raises EarlyInput before we have formed it, ProtocolViolation: "not_a_checker", "bad_signature".
    """
    lane = _ring_lane(state, received)
    view = AttemptView(state, context, lane)
    require(received.sender in view.checkers, "not_a_checker")
    if received.body.refused:
        return _contested(state, lane, received, context)
    is_of_sums = not isinstance(lane, AgreeingLane) and received.body.purpose == lane.ring.purpose
    require(is_of_sums, "wrong_purpose", "members sign the product under noise otherwise")
    assert not isinstance(lane, AgreeingLane)
    if lane.product is None:
        raise EarlyInput
    if received.sender in dict(lane.consents):
        return Step.unchanged(state)
    signature = received.body.signature
    require(signature is not None, "bad_signature", "the consent has none")
    assert signature is not None
    require(recover_address(lane.product, signature) == received.sender, "bad_signature")
    lane = replace(lane, consents=(*lane.consents, (received.sender, signature)))
    after = replace(state, evaluation=lane)
    if len(lane.consents) < len(Maker):
        return Step(after)
    assert lane.opened is not None
    signed = dict(lane.consents)
    body = RingOpeningRequest(
        purpose=lane.ring.purpose,
        product=lane.opened.load(SharedNumbers, context).numbers,
        signatures=tuple(signed[maker] for maker in (context.address, *view.checkers)),
    )
    sent = message(context, state.opened.buyer, body, lane.at)
    if not isinstance(lane, RangingLane):
        return Step(after, (sent,))
    # The buyer's silence names it: its time begins now, however late a checker has signed.
    return Step(after, (sent, timers.CHECKS.set(state.step_seconds, lane.at)))


def _contested(
    state: TrainingState, lane: RingLane, received: Received[RingConsent], context: Context
) -> AttemptStep:
    """A checker refuses the share before its own: nothing is opened under this ring.

    The first one refuses ours, which is what its seed makes: it lies. The second one shows what the first has
    signed, share and seed: who lies shows from that, and whoever shows nothing has had nothing to refuse.
    """
    view = AttemptView(state, context, lane)
    first, second = view.checkers
    liar = received.sender
    code = "false_complaint"
    if liar == second and _is_false(lane, view, received.body.shown):
        liar = first
        code = "false_share"
    return _without(state, lane, liar, code, context)


def _is_false(lane: RingLane, view: AttemptView, shown: SignedMessage | None) -> bool:
    """Whether the first checker has signed, for the second one in this ring, a share that no seed makes."""
    if shown is None:
        return False
    envelope = shown.envelope
    place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
    if place != ("ring_shared", *view.checkers, view.state.training):
        return False
    body = read_signed(shown, view.context)
    at = RoundAttempt(envelope.round, envelope.attempt)
    if not isinstance(body, RingShared) or at != lane.at or body.purpose != lane.ring.purpose:
        return False
    workshop = view.ring(Purpose(body.purpose)).workshop
    try:
        share = read_ciphertexts(view.state.key, body.share, len(workshop.form.bounds))
    except ProtocolViolation:
        return False  # it was never taken for a share
    return workshop.at_fault(Maker.FIRST_CHECKER, share, body.seed) is Maker.FIRST_CHECKER
