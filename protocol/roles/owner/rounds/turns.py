"""Whose turn it is within an attempt, and what a member that stops it says and keeps."""

from protocol.envelope import SignedMessage
from protocol.learning.judgement.complaints import Ground
from protocol.messages import Message
from protocol.messages.rounds import CheckVerdict
from protocol.messages.rounds.values import AttemptDigests
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, SendMessage
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.evidence import link_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.complaint import check_failed
from protocol.types import FrozenModel


def running_attempt(state: RunningState, received: Received[FrozenModel]) -> Attempt:
    """The running attempt, if the message is for it.

    Raises EarlyInput for one that is still to come, StaleInput for one that is over or was stopped: late
    answers are nobody's fault.
    """
    running = current_attempt(state, received)
    if running.is_stopped:
        raise StaleInput
    return running


def current_attempt(state: RunningState, received: Received[FrozenModel]) -> Attempt:
    """The same where we may have stopped it ourselves."""
    at, running = received.at, state.attempt
    if at.round <= link_of(state).round:
        raise StaleInput
    if running is None or at > running.at:
        raise EarlyInput
    if at < running.at:
        raise StaleInput
    return running


def checked_attempt(state: RunningState, received: Received[FrozenModel], context: Context) -> Attempt:
    """The running attempt, if we are one of its checkers; raises ProtocolViolation("not_a_checker") else."""
    attempt = running_attempt(state, received)
    require(context.address in attempt.checkers, "not_a_checker")
    return attempt


def with_attempt(state: RunningState, attempt: Attempt, *effects: Effect) -> Step[OwnerState]:
    """The step that leads to an attempt as it is now."""
    return Step(replace(state, attempt=attempt), effects)


def verdict_sent(
    state: RunningState, attempt: Attempt, verdict: CheckVerdict, context: Context
) -> tuple[SendMessage, ...]:
    """To the aggregator and all other members."""
    members = state.parties.addresses(attempt.members)
    recipients = (state.request.aggregator, *(one for one in members if one != context.address))
    return tuple(_sent(one, verdict, attempt, context) for one in recipients)


def in_order(
    state: RunningState, attempt: Attempt, digests: AttemptDigests, projection: bytes, context: Context
) -> Step[OwnerState]:
    """Say that the attempt is in order: both of a checker's tests are through."""
    verdict = CheckVerdict(in_order=True, digests=digests, projection=projection)
    done = replace(attempt, has_verdict=True)
    return with_attempt(state, done, *verdict_sent(state, done, verdict, context))


def not_in_order(
    state: RunningState,
    attempt: Attempt,
    ground: Ground,
    context: Context,
    *effects: Effect,
    evidence: tuple[SignedMessage, ...] = (),
) -> Step[OwnerState]:
    """Say what a checker has found, with what it was sent, and have no more to do with the attempt."""
    verdict = CheckVerdict(in_order=False, ground=ground.value, evidence=evidence)
    stopped = replace(attempt, has_verdict=True, is_stopped=True)
    noted = check_failed(context.address, attempt.at, verdict)
    return with_attempt(state, stopped, *effects, *verdict_sent(state, stopped, verdict, context), noted)


def _sent(recipient: str, body: Message, attempt: Attempt, context: Context) -> SendMessage:
    return message(context, recipient, body, attempt.at)
