"""The buyer in a checked round: the exchange of moments, and who takes part in an attempt."""

from typing import TypeVar

from protocol.crypto.cipher import write_ciphertexts
from protocol.learning.judgement.members import MAXIMUM_ATTEMPTS, Attempt, require_attempt
from protocol.learning.moments.exchange import moment_answer
from protocol.learning.moments.widths import Start
from protocol.messages.rounds import AttemptAnnounced, CheckedStarted, MomentAnswer, MomentRequest
from protocol.messages.rounds.values import START_OF
from protocol.roles.buyer.state import (
    AttemptMembers,
    BuyerStep,
    Exchange,
    RunningState,
    private_key_of,
)
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import PhaseState, replace
from protocol.roles.engine.table import Handler
from protocol.roles.rounds.attempt import identity_of, numbers_digest
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.members import read_attempt
from protocol.roles.rounds.products import MomentExchange
from protocol.roles.rounds.started import checked_start
from protocol.roles.rounds.widths import started_widths
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.types import RoundAttempt, mask_of, seats_of

C = TypeVar("C")
R = TypeVar("R", bound=RunningState)


def unless_stopped(handler: Handler[R, C]) -> Handler[R, C]:
    """A handler that no longer answers once the operator has stopped the training."""

    def handle(state: R, content: C, context: Context) -> Step[PhaseState]:
        return Step.unchanged(state) if state.stopped else handler(state, content, context)

    return handle


def on_checked_started(state: RunningState, started: Received[CheckedStarted], context: Context) -> BuyerStep:
    """Note the row counts, if the roles are those drawn on chain and owners joined with what is shown."""
    require_sender(started.sender, state.request.aggregator)
    require(not state.parties.has_started(), "already_started")
    body, key = started.body, public_key_of(state.n)
    identity = identity_of(context, started.envelope.training, key)
    parties, _ = checked_start(state.request, state.parties, body, identity, key)
    fact = facts.STARTED.of(trainers=list(body.trainers), validators=list(body.validators))
    return Step(replace(state, parties=parties), (fact,))


def on_moment_request(state: RunningState, asked: Received[MomentRequest], context: Context) -> BuyerStep:
    """Multiply the masked weights of a round's models and divide their sum, once for each attempt."""
    require_sender(asked.sender, state.request.aggregator)
    body, at = asked.body, asked.at
    state = _repeated(state, body, at)
    _require_next_exchange(state, at)
    widths = started_widths(state.request, state.parties).moments
    start = START_OF[body.start]
    _require_place(state, body, at)
    private = private_key_of(context)
    exchange = MomentExchange.of(private.public_key, widths, body.trainers, start, state.request)
    masked = exchange.read_request(body.masked)
    stream = context.randomness(Label.MOMENT_ANSWER)
    rescales, sets = exchange.rescales, exchange.sets
    answer = moment_answer(private, masked, body.trainers, sets, widths, stream, rescales=rescales)
    numbers = tuple(write_ciphertexts(private.public_key, answer.flat()))
    asked_digest = numbers_digest(body.masked)
    answered = Exchange(
        round=at.round,
        attempt=at.attempt,
        trainers=body.trainers,
        start=body.start,
        request=asked_digest,
        answer=numbers_digest(numbers),
    )
    sent = MomentAnswer(request_digest=asked_digest, numbers=numbers)
    after = replace(state, exchanges=(*state.exchanges, answered))
    return Step(after, (message(context, asked.sender, sent, at),))


def _repeated(state: RunningState, body: MomentRequest, at: RoundAttempt) -> RunningState:
    """The state in which an attempt is asked for that repeats its round without trainers that we have named.

    The round after that one was trained from a model that they had a part in: its exchange is discarded.
    Raises StaleInput for what such a repetition has discarded, EarlyInput for what has overtaken one.
    """
    refusal = state.refusal(at.round, at.attempt - 1)
    repeats = refusal is not None and refusal.sitting_out > 0
    expected = state.repetitions + int(repeats)
    if body.repetition != expected:
        raise StaleInput if body.repetition < expected else EarlyInput
    if refusal is None or not repeats:
        return state
    kept = tuple(one for one in state.exchanges if one.round <= at.round)
    sat_out = state.sat_out + refusal.sitting_out
    return replace(state, exchanges=kept, repetitions=expected, sat_out=sat_out)


def _require_next_exchange(state: RunningState, at: RoundAttempt) -> None:
    """Raise ProtocolViolation unless it is the next attempt at a round that may be trained.

    Training runs at most one round ahead of measuring, and a round is measured only after the one before.
    Raises EarlyInput for an attempt that has overtaken one of those before it.
    """
    require(state.link.round < at.round <= state.link.round + 2, "round_out_of_order")
    require(at.round <= state.request.schedule.rounds, "round_out_of_order")
    require(1 <= at.attempt <= MAXIMUM_ATTEMPTS, "too_many_attempts")
    require(state.exchange(at) is None, "asked_twice")
    made = sum(one.round == at.round for one in state.exchanges)
    if at.attempt > made + 1:
        raise EarlyInput


def _require_place(state: RunningState, body: MomentRequest, at: RoundAttempt) -> None:
    """Raise ProtocolViolation for vectors that the round cannot have.

    Updates serve every attempt at their round: one with fewer of them would show what one trainer adds. Those
    alone are missing whose errors we have named in the attempt before, and they do not come back.
    """
    most = state.parties.trainers.bit_count() - state.sat_out
    require(2 <= body.trainers <= most, "wrong_trainer_count", f"{body.trainers} trainers, at most {most}")
    before = state.exchange(RoundAttempt(at.round, at.attempt - 1))
    refusal = state.refusal(at.round, at.attempt - 1)
    named = 0 if refusal is None else refusal.sitting_out
    require(before is None or before.trainers - named == body.trainers, "wrong_trainer_count")
    is_public = START_OF[body.start] is Start.PUBLIC
    require(is_public == state.request.schedule.begins_fold(at.round), "wrong_start_measurement")


def on_attempt_announced(
    state: RunningState, announced: Received[AttemptAnnounced], _context: Context
) -> BuyerStep:
    """Note the members of the next attempt: whoever is left out is named, and stays out.

    With one member more now and another then, two openings would have a single member's numbers as their
    difference. So after one that we have refused, which we have opened for ourselves, all members stay.
    Raises EarlyInput for an attempt that has overtaken one of those before it.
    """
    require_sender(announced.sender, state.request.aggregator)
    body, at = announced.body, announced.at
    if at.round <= state.link.round:
        raise StaleInput  # opened already
    require(at.round == state.link.round + 1, "round_out_of_order", f"round {at.round}")
    if not state.parties.has_started():
        raise EarlyInput
    attempt = read_attempt(state.parties, at.attempt, body.members, body.left_out)
    members = mask_of(list(attempt.members))
    noted = AttemptMembers(round=at.round, attempt=at.attempt, members=members)
    if noted in state.attempts:
        return Step.unchanged(state)
    drawn = state.parties.validators
    standing, before = seats_of(state.standing or drawn), _before(state, at.round)
    made = 0 if before is None else before.number + 1
    if made + 1 < at.attempt <= MAXIMUM_ATTEMPTS:
        raise EarlyInput
    require_attempt(drawn.bit_count(), standing, before, attempt)
    require(state.refused_members(at.round) in (None, members), "wrong_members", "refused by others")
    over = [facts.ATTEMPT_OVER.of(round=at.round, attempt=at.attempt - 1)] if at.attempt > 1 else []
    return Step(replace(state, standing=members, attempts=(*state.attempts, noted)), tuple(over))


def _before(state: RunningState, round_number: int) -> Attempt | None:
    """The last attempt at this round that was announced."""
    made = [one for one in state.attempts if one.round == round_number]
    return Attempt(made[-1].attempt - 1, tuple(seats_of(made[-1].members))) if made else None
