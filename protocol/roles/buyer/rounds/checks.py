"""The buyer and the checkers: masked questions, zero tests, the next model's check; each answered once."""

from protocol.crypto.cipher import PublicKey, read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.sums import open_sums
from protocol.learning.projection.answer import flat_answer, open_zero, projection_answer
from protocol.learning.projection.countersigning import zero_test_digest
from protocol.messages.rounds import (
    ProjectionAnswer,
    ProjectionRequest,
    RingOpening,
    RingOpeningRequest,
    ZeroTestRequest,
    ZeroTestResult,
)
from protocol.messages.rounds.ring import OpenedVector
from protocol.messages.rounds.values import START_OF, Shown
from protocol.roles.buyer.rounds.finding import open_errors, open_ranges, signed_product
from protocol.roles.buyer.state import (
    AskedNumbers,
    BuyerStep,
    OfAttempt,
    Question,
    RunningState,
    denying,
    private_key_of,
)
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds.attempt import numbers_digest
from protocol.roles.rounds.denials import is_denial
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.products import MomentExchange
from protocol.roles.rounds.widths import started_widths
from protocol.roles.shared.parties import require_sender
from protocol.signatures import recover_address
from protocol.types import RoundAttempt


def on_projection_request(
    state: RunningState, asked: Received[ProjectionRequest], context: Context
) -> BuyerStep:
    """Multiply a checker's masked combinations of the weights, once for each checker and attempt.

    Two answers to one checker under the same secret coefficients would show how two models differ.
    """
    at, private = asked.at, private_key_of(context)
    require(asked.sender in state.checkers(at, context), "not_a_checker")
    require(state.question(at, asked.sender) is None, "asked_twice")
    exchange = _exchange(state, at, private.public_key)
    masked = exchange.read_request(asked.body.masked)
    stream = context.randomness(Label.PROJECTION_ANSWER)
    answer = projection_answer(private, masked, exchange.trainers, exchange.sets, exchange.widths, stream)
    numbers = tuple(write_ciphertexts(private.public_key, flat_answer(answer)))
    kept, blob = store(AskedNumbers(request=asked.body.masked, answer=numbers))
    question = Question(round=at.round, attempt=at.attempt, asker=asked.sender, numbers=kept)
    sent = ProjectionAnswer(request_digest=numbers_digest(asked.body.masked), numbers=numbers)
    after = replace(state, questions=(*state.questions, question))
    return Step(after, (blob, message(context, asked.sender, sent, at)))


def _exchange(state: RunningState, at: RoundAttempt, key: PublicKey) -> MomentExchange:
    """The layout of a checker's question, which follows that of the attempt's exchange.

    Raises ProtocolViolation("nothing_answered") before that one was answered: there is nothing to check.
    """
    found = state.exchange(at)
    if found is None:
        raise ProtocolViolation("nothing_answered", f"no exchange of round {at.round}, attempt {at.attempt}")
    widths = started_widths(state.request, state.parties).projection
    return MomentExchange(key, widths, found.trainers, START_OF[found.start])


def on_zero_test_request(
    state: RunningState, asked: Received[ZeroTestRequest], context: Context
) -> BuyerStep:
    """Say whether a checker's test is zero, if the other one has signed that it is the one that all may ask.

    Without the other's signature a checker could ask whether any number of its choice is zero: a weight.
    """
    at, private = asked.at, private_key_of(context)
    checkers = state.checkers(at, context)
    require(asked.sender in checkers, "not_a_checker")
    question = state.question(at, asked.sender)
    if question is None:
        raise ProtocolViolation("nothing_answered", f"{asked.sender} has asked nothing")
    require(not question.tested, "asked_twice")
    key, numbers = private.public_key, question.numbers.load(AskedNumbers, context)
    request, answer = (read_ciphertexts(key, one, len(one)) for one in (numbers.request, numbers.answer))
    (zero,) = read_ciphertexts(key, [asked.body.zero], 1)
    other = next(one for one in checkers if one != asked.sender)
    signer = recover_address(zero_test_digest(key, request, answer, zero), asked.body.signature)
    require(signer == other, "not_countersigned", f"signed by {signer}, not by {other}")
    opening = open_zero(private, zero)
    shown = None if opening is None else Shown(plaintext=int(opening.plaintext), root=int(opening.root))
    denied = asked.body.zero if shown is None else None
    questions = tuple(
        replace(one, tested=True, denied=denied) if one is question else one for one in state.questions
    )
    tested = replace(state, questions=questions)
    sent = message(context, asked.sender, ZeroTestResult(opening=shown), at)
    return Step(tested if denied is None else denying(tested, at), (sent,))


def on_ring_opening_request(
    state: RunningState, asked: Received[RingOpeningRequest], context: Context
) -> BuyerStep:
    """Open the masked sums of the next model for both checkers, if the ring's three makers have signed them.

    Out of range it says so and shows nothing. Those of trainers' ranges are opened whatever they are
    (`ranges`), as are errors that it has named (`errors`); the noise on errors is opened with the metric.
    """
    require_sender(asked.sender, state.request.aggregator)
    if asked.body.purpose == Purpose.RANGES.value:
        return open_ranges(state, asked, context)
    if asked.body.purpose == Purpose.ERRORS.value:
        return open_errors(state, asked, context)
    at, body, private = asked.at, asked.body, private_key_of(context)
    checkers = state.checkers(at, context)
    require(body.purpose == Purpose.NEXT_MODEL.value, "wrong_purpose", body.purpose)
    opened = OfAttempt(round=at.round, attempt=at.attempt)
    require(opened not in state.opened_checks, "already_opened")
    widths = started_widths(state.request, state.parties).next_model.sums
    key = private.public_key
    product = signed_product(state, asked, key, widths.plaintexts, context)
    vectors = tuple(
        OpenedVector(openings=tuple(Shown(plaintext=int(m.plaintext), root=int(m.root)) for m in one or ()))
        for one in open_sums(private, widths, product)
    )
    answer = RingOpening(purpose=body.purpose, vectors=vectors)
    sent = (message(context, checker, answer, at) for checker in checkers)
    after = replace(state, opened_checks=(*state.opened_checks, opened))
    return Step(denying(after, at) if is_denial(answer) else after, tuple(sent))
