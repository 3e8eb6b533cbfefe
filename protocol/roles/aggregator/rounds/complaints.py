"""What follows when a checker finds an attempt not in order.

Its word alone stops the attempt and names nobody but, where it is a lie to our own eyes, itself. Of what the
buyer or the other checker told it, it shows the signed message; without one it had nothing to complain of.
"""

from gmpy2 import mpz

from protocol.crypto.cipher import Ciphertext, Opening, read_ciphertexts, verify_openings
from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.learning.projection.answer import is_zero
from protocol.learning.projection.countersigning import Liar
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import (
    CheckVerdict,
    RingCommitted,
    RingOpening,
    ZeroTestConsent,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.roles.aggregator.attempts import CheckingLane, MaskedAttempt, ShownAttempt
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.rounds.evidence import AttemptStep, next_attempt
from protocol.roles.aggregator.rounds.ranges import ask_for_evidence, open_ranges
from protocol.roles.aggregator.rounds.shown import shown
from protocol.roles.aggregator.rounds.view import AttemptView
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.state import store
from protocol.roles.rounds.complaint import check_failed
from protocol.roles.rounds.denials import is_denial
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.types import Address


def on_complaint(
    state: TrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """The next attempt; or who is at fault, where the buyer's own signed word is against it (`ranges`).

    The grounds `start`, `proof`, `request` and `subtraction` are about what we made, or verified ourselves:
    there is nothing in them, and the checker is left out. Openings that are none are the buyer's fault. Sums
    of a next model that are open are for the checkers' eyes: with two masks we would see how far it is off.
    Of such a complaint nobody is named, and others check next. Nor does the other checker's word decide: a
    model that is off by about as much as the third share, which hides it from each, one finds out and the
    other not.
    """
    step = _answer(state, lane, received, context)
    return Step(step.state, (check_failed(received.sender, received.at, received.body), *step.effects))


def on_refused_question(
    state: TrainingState, lane: ShownAttempt, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """The next attempt without the checker that lies: the one that asked, or the one that refused to sign.

    A refusal shows what the asker has signed, question, answer and seeds: whoever looks at it sees whether
    the other one had to refuse. One that shows nothing is false.
    """
    view, refusing = AttemptView(state, context, lane), received.sender
    asker = view.other_checker(refusing)
    told = _shown(view, received, "zero_test_shown", asker)
    liar = refusing
    code = "false_refusal"
    if isinstance(told, ZeroTestShown) and view.question(asker).liar(told) is Liar.ASKER:
        liar = asker
        code = "false_question"
    step = _named(state, lane, liar, code, context)
    return Step(step.state, (check_failed(refusing, received.at, received.body), *step.effects))


def on_other_statement(
    state: TrainingState, lane: ShownAttempt, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """The next attempt without the checker that lies: all were shown the same by us.

    One commits to something else towards the other, which shows its signed commitment; or that one says so.
    """
    view, complaining = AttemptView(state, context, lane), received.sender
    other = view.other_checker(complaining)
    told = _shown(view, received, "ring_committed", other)
    liar = complaining
    code = "false_complaint"
    if isinstance(told, RingCommitted) and told.statement != _statement(view, lane, told):
        liar = other
        code = "other_statement"
    step = _named(state, lane, liar, code, context)
    return Step(step.state, (check_failed(complaining, received.at, received.body), *step.effects))


def _statement(view: AttemptView, lane: ShownAttempt, told: RingCommitted) -> bytes:
    """What a ring of this purpose is about; of one that has not begun, whatever is said of it."""
    if told.purpose == Purpose.NEXT_MODEL.value:
        return view.next_model.statement()
    return lane.ring.statement if told.purpose == lane.ring.purpose else told.statement


def _answer(
    state: TrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    match received.body.ground:
        case "projection":
            return _about_test(state, lane, received, context)
        case "next_model" if lane.opened is not None:
            return _about_sums(state, lane, received, context)
        case _:
            return _named(state, lane, received.sender, "false_complaint", context)


def _about_test(
    state: TrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """What the buyer said of a checker's test, held against the test that the other one has signed.

    An honest checker shows both: without the other's signature it has asked nothing.
    """
    view, checker = AttemptView(state, context, lane), received.sender
    result = _shown(view, received, "zero_test_result", state.opened.buyer)
    consent = _shown(view, received, "zero_test_consent", view.other_checker(checker))
    if isinstance(result, ZeroTestResult) and isinstance(consent, ZeroTestConsent):
        zero = _zero(state, consent)  # no honest checker takes a consent to what is no ciphertext
        if zero is not None and result.opening is None:
            return ask_for_evidence(state, lane, received, context)
        if zero is not None and not _is_proven(state, result, zero, context):
            return give_up(state, "bad_opening", context, fault=state.opened.buyer)
    return _named(state, lane, checker, "false_complaint", context)


def _about_sums(
    state: TrainingState, lane: CheckingLane, received: Received[CheckVerdict], context: Context
) -> AttemptStep:
    """What the buyer has opened to a checker, or that it opened nothing."""
    view = AttemptView(state, context, lane)
    body = _shown(view, received, "ring_opening", state.opened.buyer)
    if is_denial(body):
        kept, blob = store(received.signed)
        step = open_ranges(state, lane.without_masks(), kept, context.knowing((blob,)))
        return Step(step.state, (blob, *step.effects))
    if isinstance(body, RingOpening) and not _is_opened(state, lane, body, context):
        return give_up(state, "bad_opening", context, fault=state.opened.buyer)
    # Which of two lies, the checker or whoever made the model, shows from masks that we may not be shown.
    return next_attempt(state, lane, 0, "contested", context)


def _named(
    state: TrainingState, lane: MaskedAttempt, liar: Address, code: str, context: Context
) -> AttemptStep:
    fact = facts.COMPLAINT.of(accused=liar, round=lane.at.round, code=code)
    step = next_attempt(state, lane, 1 << state.parties.seat_of(liar), code, context)
    return Step(step.state, (fact, *step.effects))


def _shown(
    view: AttemptView, received: Received[CheckVerdict], kind: str, teller: Address
) -> MessageBody | None:
    return shown(view, received.body, received.sender, kind, teller)


def _is_proven(state: TrainingState, result: ZeroTestResult, zero: Ciphertext, context: Context) -> bool:
    """Whether the buyer's opening proves the test zero that the other checker has signed."""
    assert result.opening is not None
    opening = Opening(mpz(result.opening.plaintext), mpz(result.opening.root))
    return is_zero(state.key, zero, opening, context.randomness(Label.SHOWN_TEST))


def _zero(state: TrainingState, consent: ZeroTestConsent) -> Ciphertext | None:
    """The test that was signed, if it is a ciphertext."""
    try:
        return read_ciphertexts(state.key, [consent.zero], 1)[0]
    except ProtocolViolation:
        return None


def _is_opened(state: TrainingState, lane: CheckingLane, body: RingOpening, context: Context) -> bool:
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
