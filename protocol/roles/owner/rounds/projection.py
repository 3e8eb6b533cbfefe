"""A checker's first test: are the products those of the signed updates? And its part in the other one's.

A question is asked once, under a seed that serves once. Before the buyer opens its test the other checker
holds question and test against the seeds that make them: what it will not sign is not opened, so nobody has
anything else opened.
"""

from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.cipher import Opening, read_ciphertexts, write_ciphertexts
from protocol.crypto.randomness import SEED_BYTES
from protocol.envelope import SignedMessage
from protocol.learning.judgement.complaints import Ground
from protocol.learning.moments.exchange import SetAnswer
from protocol.learning.projection.answer import is_zero, read_projection_answer
from protocol.learning.projection.countersigning import consent
from protocol.learning.projection.question import Seeds
from protocol.messages.rounds import (
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.attempts import Attempt, Countersigning, Projecting
from protocol.roles.owner.rounds.turns import checked_attempt, not_in_order, with_attempt
from protocol.roles.owner.rounds.verdicts import conclude
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.attempt import numbers_digest
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.questions import AskedQuestion
from protocol.roles.shared.parties import require_sender
from protocol.signatures import recover_address, sign_digest
from protocol.types import Address


def ask(view: RoundView, context: Context) -> tuple[Projecting, tuple[Effect, ...]]:
    """Enc⟨β, θ̃_t⟩ of the signed updates to the buyer, under a fresh seed that is stored with the step."""
    seed = context.randomness(Label.QUESTION).bytes(SEED_BYTES)
    request = view.projection.request(seed)
    body = ProjectionRequest(masked=tuple(write_ciphertexts(view.key, request)))
    kept, seed_blob = store(seed)
    asked, asked_blob = store(body)
    sent = message(context, view.state.opened.buyer, body, view.at)
    return Projecting(seed=kept, asked=asked), (seed_blob, asked_blob, sent)


def on_projection_answer(
    state: RunningState, received: Received[ProjectionAnswer], context: Context
) -> Step[OwnerState]:
    """Make the zero test of the buyer's answer and show it to the other checker, seeds and all.

    Raises ProtocolViolation("answered_twice") for a second one: a test drawn for each would be two
    equations about the same products.
    """
    require_sender(received.sender, state.opened.buyer)
    attempt, asking = _own_question(state, received, context)
    require(asking.shown is None, "answered_twice")
    view = view_of(state, attempt, context)
    asked = asking.asked.load(ProjectionRequest, context)
    require(received.body.request_digest == numbers_digest(asked.masked), "other_request")
    answer = _read(view, received.body)
    seeds = Seeds(asking.seed.raw(context), context.randomness(Label.ZERO_TEST).bytes(SEED_BYTES))
    zero = view.projection.zero(seeds, answer)
    request = read_ciphertexts(view.key, asked.masked, len(asked.masked))
    body = ZeroTestShown(
        request=asked,
        answer=received.signed,
        zero=write_ciphertexts(view.key, [zero])[0],
        question_seed=seeds.question,
        test_seed=seeds.test,
    )
    kept, blob = store(body)
    agreed = consent(view.projection, request, answer, zero)
    after = replace(attempt, projecting=replace(asking, shown=kept, agreed=agreed))
    sent = message(context, attempt.other_checker(context.address), body, attempt.at)
    return with_attempt(state, after, blob, sent)


def on_zero_test_shown(
    state: RunningState, received: Received[ZeroTestShown], context: Context
) -> Step[OwnerState]:
    """Hold the other checker's question and test against its seeds; sign them, or show that they are not so.

    One for an attempt; raises ProtocolViolation("second_question") for another one. What is shown to all is
    given up by that: it is no question that the buyer opens a test of.
    """
    attempt = checked_attempt(state, received, context)
    require_sender(received.sender, attempt.other_checker(context.address))
    digest = keccak(received.signed.body)
    if attempt.countersigned is not None:
        require(attempt.countersigned.shown == digest, "second_question")
        again = attempt.countersigned.consent.load(ZeroTestConsent, context)
        label = received.envelope.message_id.hex()
        return Step.unchanged(state, message(context, received.sender, again, attempt.at, label=label))
    asked = _question_of(view_of(state, attempt, context), received.sender)
    if asked.refusal(received.body) is not None:
        found = facts.NAMED.of(
            accused=received.sender, round=attempt.round, attempt=attempt.attempt, code="false_question"
        )
        return not_in_order(state, attempt, Ground.QUESTION, context, found, evidence=(received.signed,))
    signature = sign_digest(context.signing_key, asked.consent(received.body))
    body = ZeroTestConsent(zero=received.body.zero, signature=signature)
    kept, blob = store(body)
    after = replace(attempt, countersigned=Countersigning(shown=digest, consent=kept))
    return with_attempt(state, after, blob, message(context, received.sender, body, attempt.at))


def on_zero_test_consent(
    state: RunningState, received: Received[ZeroTestConsent], context: Context
) -> Step[OwnerState]:
    """Have the buyer open the test that the other checker has signed.

    The signed test is kept: beside the buyer's result it shows whether that one is true. Raises
    ProtocolViolation("bad_consent") for no signature of what was shown.
    """
    attempt, asking = _own_question(state, received, context)
    require_sender(received.sender, attempt.other_checker(context.address))
    if asking.shown is None or asking.agreed is None:
        raise EarlyInput
    require(not asking.requested, "answered_twice")
    shown = asking.shown.load(ZeroTestShown, context)
    require(received.body.zero == shown.zero, "bad_consent", "of another test")
    signer = recover_address(asking.agreed, received.body.signature)
    require(signer == received.sender, "bad_consent", f"not signed by {received.sender}")
    body = ZeroTestRequest(zero=shown.zero, signature=received.body.signature)
    kept, blob = store(received.signed)
    after = replace(attempt, projecting=replace(asking, requested=True, consent=kept))
    return with_attempt(state, after, blob, message(context, state.opened.buyer, body, attempt.at))


def on_zero_test_result(
    state: RunningState, received: Received[ZeroTestResult], context: Context
) -> Step[OwnerState]:
    """Whether the buyer has proven the test zero.

    Without a proof the products are not those of the updates, or somebody lies: the attempt is not in order.
    """
    require_sender(received.sender, state.opened.buyer)
    attempt, asking = _own_question(state, received, context)
    if not asking.requested:
        raise EarlyInput
    require(not asking.is_zero, "answered_twice")
    view = view_of(state, attempt, context)
    if not _is_proven(view, asking, received.body, context):
        assert asking.consent is not None
        evidence = (received.signed, asking.consent.load(SignedMessage, context))
        return not_in_order(state, attempt, Ground.PROJECTION, context, evidence=evidence)
    return conclude(state, replace(attempt, projecting=replace(asking, is_zero=True)), context)


def _own_question(
    state: RunningState,
    received: Received[ProjectionAnswer | ZeroTestConsent | ZeroTestResult],
    context: Context,
) -> tuple[Attempt, Projecting]:
    attempt = checked_attempt(state, received, context)
    assert attempt.projecting is not None  # a checker's attempt that is not stopped has begun with it
    return attempt, attempt.projecting


def _read(view: RoundView, body: ProjectionAnswer) -> tuple[SetAnswer, ...]:
    numbers = read_ciphertexts(view.key, body.numbers, len(body.numbers))
    return read_projection_answer(numbers, view.projection.sets, view.projection.widths.targets)


def _question_of(view: RoundView, asker: Address) -> AskedQuestion:
    state = view.state
    market, buyer = view.context.market, state.opened.buyer
    return AskedQuestion(view.projection, market, state.training, view.at, buyer, asker)


def _is_proven(view: RoundView, asking: Projecting, body: ZeroTestResult, context: Context) -> bool:
    assert asking.shown is not None
    if body.opening is None:
        return False
    zero = read_ciphertexts(view.key, [asking.shown.load(ZeroTestShown, context).zero], 1)[0]
    opening = Opening(mpz(body.opening.plaintext), mpz(body.opening.root))
    return is_zero(view.key, zero, opening, context.randomness(Label.ZERO_OPENING))
