"""What follows when a checker finds an attempt not in order.

Its word alone stops the attempt and names nobody but, where it is a lie to our own eyes, itself. Of what the
buyer told it, it shows the signed message; without one it had nothing to complain of.
"""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.sums import vectors_out_of_range
from protocol.messages.catalogue import MessageBody
from protocol.messages.checked import CheckVerdict, RingOpening, ZeroTestConsent, ZeroTestResult
from protocol.roles.aggregator.checked.evidence import AttemptStep, next_attempt
from protocol.roles.aggregator.checked.lanes import CheckingLane
from protocol.roles.aggregator.checked.state import CheckedTrainingState
from protocol.roles.aggregator.checked.view import AttemptView
from protocol.roles.aggregator.ending import give_up
from protocol.roles.checked.labels import Label
from protocol.roles.checked.ring import known_shares
from protocol.roles.checked.ring_state import SharedNumbers
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.state import BlobRef


def on_complaint(
    state: CheckedTrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """The next attempt, or the end of the training where the buyer's own signed word is against the round.

    The grounds `start`, `proof` and `request` are about what we made, or verified ourselves: there is nothing
    in them, and the checker is left out.
    """
    view = AttemptView(state, context, lane)
    match _shown(view, received):
        case ZeroTestResult(opening=None):
            return give_up(state, "projection_failed", context)
        case ZeroTestResult() | ZeroTestConsent():
            # Which of the two lies about a proof, or a signature, shows from seeds that we are not shown.
            return next_attempt(state, lane, 0, "contested", context)
        case RingOpening() as body if lane.opened is not None:
            return _next_model(view, lane, lane.opened, body, context)
        case _:
            return _false(state, lane, received, context)


def _false(
    state: CheckedTrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    fact = facts.COMPLAINT.of(accused=received.sender, round=lane.at.round, code="false_complaint")
    seat = 1 << state.parties.seat_of(received.sender)
    step = next_attempt(state, lane, seat, "false_complaint", context)
    return Step(step.state, (fact, *step.effects))


_SHOWN = {"projection": ("zero_test_result", "zero_test_consent"), "next_model": ("ring_opening",)}
"""By ground: the types of what a checker was told, one of which it shows."""


def _shown(view: AttemptView, received: Received[CheckVerdict]) -> MessageBody | None:
    """What the buyer, or the other checker, told this one in this attempt; None where it shows nothing."""
    body, checker = received.body, received.sender
    other = next(one for one in view.checkers if one != checker)
    for signed in body.evidence:
        envelope = signed.envelope
        teller = other if envelope.type == "zero_test_consent" else view.state.opened.buyer
        place = (envelope.sender, envelope.recipient, envelope.training, envelope.round, envelope.attempt)
        if envelope.type not in _SHOWN.get(body.ground or "", ()):
            continue
        if place == (teller, checker, view.state.training, *view.at):
            return _read(signed, view.context)
    return None


def _read(signed: SignedMessage, context: Context) -> MessageBody | None:
    """The body of a message that its sender has signed; None for any other."""
    try:
        signed.verify(context.market)
        body: MessageBody = body_of(signed)
    except ProtocolViolation:
        return None
    return body


def _next_model(
    view: AttemptView, lane: CheckingLane, opened: BlobRef, body: RingOpening, context: Context
) -> AttemptStep:
    """The buyer's openings of the sums, as we see them, who know two of the masks as well.

    What does not open is the buyer's fault. Where it says, or we find, that a sum is out of range the
    training ends. In range for us, it may be out of range for who knows another mask: then nobody has lied
    for certain, and the next attempt has other checkers.
    """
    numbers = opened.load(SharedNumbers, context).numbers
    product = read_ciphertexts(view.state.key, numbers, len(numbers))
    answers = [
        tuple(Opening(mpz(one.plaintext), mpz(one.root)) for one in vector.openings) or None
        for vector in body.vectors
    ]
    known = known_shares(lane.ring, view.ring(Purpose.NEXT_MODEL), context)
    widths, stream = view.widths.next_model.sums, context.randomness(Label.SHOWN_SUMS)
    try:
        outside = vectors_out_of_range(view.state.key, widths, product, answers, known, stream)
    except ProtocolViolation:
        return give_up(view.state, "bad_opening", context, fault=view.state.opened.buyer)
    if outside:
        return give_up(view.state, "next_model_failed", context)
    return next_attempt(view.state, lane, 0, "contested", context)
