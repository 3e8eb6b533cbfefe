"""What follows when a checker finds an attempt not in order.

Its word alone stops the attempt and names nobody but, where it is a lie to our own eyes, itself. Of what the
buyer told it, it shows the signed message; without one it had nothing to complain of.
"""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, read_ciphertexts, verify_openings
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.catalogue import MessageBody
from protocol.messages.checked import CheckVerdict, RingOpening, ZeroTestResult
from protocol.roles.aggregator.checked.evidence import AttemptStep, next_attempt
from protocol.roles.aggregator.checked.lanes import CheckingLane
from protocol.roles.aggregator.checked.state import CheckedTrainingState
from protocol.roles.aggregator.checked.view import AttemptView
from protocol.roles.aggregator.ending import give_up
from protocol.roles.checked.complaint import check_failed
from protocol.roles.checked.labels import Label
from protocol.roles.checked.ring_state import SharedNumbers
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received


def on_complaint(
    state: CheckedTrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """The next attempt, or the end of the training where the buyer's own signed word is against the round.

    The grounds `start`, `proof` and `request` are about what we made, or verified ourselves: there is nothing
    in them, and the checker is left out. Openings that are none are the buyer's fault. Sums of a next model
    that are open are for the checkers' eyes: with two masks we would see how far it is off. Of such a
    complaint nobody is named, and others check next.
    """
    step = _answer(state, lane, received, context)
    return Step(step.state, (check_failed(received.sender, received.at, received.body), *step.effects))


def _answer(
    state: CheckedTrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    match _shown(AttemptView(state, context, lane), received):
        case ZeroTestResult(opening=None):
            return give_up(state, "projection_failed", context)
        case RingOpening(vectors=vectors) if not any(one.openings for one in vectors):
            return give_up(state, "next_model_failed", context)
        case RingOpening() as body if lane.opened is not None and not _is_opened(state, lane, body, context):
            return give_up(state, "bad_opening", context, fault=state.opened.buyer)
        case None if received.body.ground != "next_model" or lane.product is None:
            return _false(state, lane, received, context)
        case _:
            # Which of two lies, about a proof, a signature or a mask, shows from what we are not shown.
            return next_attempt(state, lane, 0, "contested", context)


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


def _is_opened(state: CheckedTrainingState, lane: CheckingLane, body: RingOpening, context: Context) -> bool:
    """Whether what the buyer has shown a checker opens the product that all three makers signed."""
    assert lane.opened is not None
    numbers = lane.opened.load(SharedNumbers, context).numbers
    product = read_ciphertexts(state.key, numbers, len(numbers))
    openings = [
        Opening(mpz(one.plaintext), mpz(one.root)) for vector in body.vectors for one in vector.openings
    ]
    if len(openings) != len(product):
        return False
    return verify_openings(state.key, product, openings, context.randomness(Label.SHOWN_SUMS))
