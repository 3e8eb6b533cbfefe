"""A checker's part in opening the trainers' ranges, which the buyer's word against an attempt asks for.

Each maker of the ring knows two of the three masks and sees for itself who is out of range: nobody is named
on another's word. It takes part also where it has stopped the attempt itself.
"""

from protocol.bodies import body_of
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import OpeningRefused
from protocol.messages.rounds import RangesAsked, RingOpening
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.attempts import Attempt, Ranging
from protocol.roles.owner.rounds import errors
from protocol.roles.owner.rounds.ring_products import product_and_masks
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.owner.rounds.turns import current_attempt, with_attempt
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.denials import DeniedAttempt
from protocol.roles.rounds.implausible import require_named, require_negative
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.opened_ranges import out_of_range
from protocol.roles.rounds.ring import ring_begin
from protocol.roles.shared.parties import require_sender
from protocol.types import Address


def on_ranges_asked(
    state: RunningState, received: Received[RangesAsked], context: Context
) -> Step[OwnerState]:
    """Commit to a share over all updates, once an attempt, if the buyer's own word is against that.

    Raises ProtocolViolation: "not_a_checker", "not_denied" where nothing that the buyer signed is shown,
    "asked_twice", "not_in_order" for evidence that we have not gone through, or for errors that we have not
    consented to have opened, or "wrong_refusal" where the buyer has named somebody who is no trainer.
    """
    require_sender(received.sender, state.request.aggregator)
    attempt = current_attempt(state, received)
    require(context.address in attempt.checkers, "not_a_checker")
    require(attempt.ranging is None, "asked_twice")
    # Only what was gone through is known to be what trainers have signed of the recorded model.
    require(attempt.opening is not None, "not_in_order", "the evidence was not in order")
    denied = DeniedAttempt(context.market, state.training, attempt.at, state.opened.buyer, attempt.checkers)
    require(denied.is_shown(received.body.complaint), "not_denied")
    view = view_of(state, attempt, context)
    step = ring_begin(ring_view(view, attempt, Purpose.RANGES), view.ranges.statement(), context)
    of_errors = received.body.complaint.envelope.type == "opening_refused"
    ranging = Ranging(ring=step.ring, is_of_errors=of_errors)
    if of_errors:
        said = _said_in(received.body.complaint, view, attempt)
        ranging = replace(ranging, named=said.named, negative=said.negative)
    return with_attempt(state, replace(attempt, ranging=ranging), *step.effects)


def _said_in(complaint: SignedMessage, view: RoundView, attempt: Attempt) -> OpeningRefused:
    said = body_of(complaint, OpeningRefused)
    require_named(said.named, view.state.parties, view.trainers)
    require_negative(said, view.state.parties, view.trainers, view.exchange.start)
    measured = attempt.measuring is not None and attempt.measuring.noisy is not None
    names = bool(said.named) or said.negative is not None
    require(measured or not names, "not_in_order", "errors that nobody was to open")
    return said


def on_opened(
    state: RunningState, received: Received[RingOpening], context: Context, *, is_relayed: bool = False
) -> Step[OwnerState]:
    """Note who is at fault by what we see ourselves: trainers out of range, or with none the buyer.

    For errors that are implausible with all trainers in range, those that the buyer has named are opened next
    (`errors`); it is nobody's fault if it has named nothing. What the aggregator has relayed counts also
    after another one. Raises StaleInput once errors are opened, ProtocolViolation("opened_twice").
    """
    attempt = current_attempt(state, received)
    require(context.address in attempt.checkers, "not_a_checker")
    ranging = attempt.ranging
    if ranging is None or ranging.product is None:
        raise EarlyInput
    if attempt.errors is not None:
        raise StaleInput
    require(is_relayed or not ranging.in_range, "opened_twice")
    view = view_of(state, attempt, context)
    named = _named(view, attempt, received.body, context)
    opened = replace(attempt, ranging=replace(ranging, in_range=True))
    if named or (not ranging.named and ranging.negative is None):
        return with_attempt(state, opened, *named)
    return errors.begin(state, opened, view, context)


def _named(view: RoundView, attempt: Attempt, body: RingOpening, context: Context) -> tuple[RecordFact, ...]:
    buyer = view.state.opened.buyer
    try:
        places = _outside(view, attempt, body, context)
    except ProtocolViolation:
        return (_fact(attempt, buyer, "bad_opening"),)
    trainers = view.state.parties.addresses(view.trainers)
    outside = tuple(_fact(attempt, trainers[one], "out_of_range") for one in places)
    if outside or _ranging(attempt).is_of_errors:
        return outside
    return (_fact(attempt, buyer, "wrong_moments"),)


def _outside(view: RoundView, attempt: Attempt, body: RingOpening, context: Context) -> list[int]:
    ranging = _ranging(attempt)
    ciphertexts, known = product_and_masks(ranging, Purpose.RANGES, view, attempt, context)
    stream = context.randomness(Label.RANGES)
    return out_of_range(view.key, view.widths.ranges, ciphertexts, body, known, stream)


def _fact(attempt: Attempt, accused: Address, code: str) -> RecordFact:
    return facts.NAMED.of(accused=accused, round=attempt.round, attempt=attempt.attempt, code=code)


def _ranging(attempt: Attempt) -> Ranging:
    assert attempt.ranging is not None  # whoever calls has seen its ring
    return attempt.ranging
