"""Errors that the buyer has named as too large: is it so, and if it is, the round is repeated without them.

With all trainers in range the product without noise is opened once more, in a ring of the same three makers
under shares that hide all errors but those that were named. Each maker sees for itself whether these are what
the buyer says. Where one is not, the buyer is named. Otherwise the trainers sit the rest of the training out,
without fault: a model that is bad in one round is bad in the next, and each of them would cost a repetition.
So there are at most T − 2 in a training of T trainers.

An error that the buyer says is negative is no trainer's doing. Of it each member's part is opened in the same
way, and the training ends with whoever has committed to a matrix that is no sum of squares.
"""

from gmpy2 import mpz

from protocol.crypto.cipher import read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.learning.judgement.members import MAXIMUM_ATTEMPTS
from protocol.messages.rounds import OpeningRelayed, RingOpening
from protocol.roles.aggregator import attendance
from protocol.roles.aggregator.attempts import RangingLane, RepeatedRound, RepeatingLane
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import TrainedRound
from protocol.roles.aggregator.rounds.evidence import AttemptStep, announced
from protocol.roles.aggregator.rounds.moments import ask
from protocol.roles.aggregator.rounds.view import AttemptView, TrainingView
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage, effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput
from protocol.roles.engine.state import replace
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.implausible import is_affordable
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.opened_errors import ErrorsFault
from protocol.roles.rounds.ring import known_shares, ring_begin
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.types import Address, RoundAttempt

RING_STEPS = 3
"""Turns of the makers with each other, and of the buyer, in which ranges, or errors, are opened."""

CODE = "implausible"
"""Of an end that is nobody's fault."""

SAT_OUT = "sat_out"
"""Of a trainer without which the training goes on, and of the attempt that showed it."""


def open_errors(
    state: TrainingState, lane: RangingLane, ranges: SignedMessage, context: Context
) -> AttemptStep:
    """Begin the second ring, which the checkers begin as well when they have seen all trainers in range.

    They see it in the same opening of `ranges` as we, whatever the buyer has sent them. Where the buyer
    has named nothing there is nothing to open. What it has named is opened also where the round is not
    repeated: a buyer that says what is not so is named then.
    """
    view = AttemptView(state, context, lane)
    if not view.said.named and view.said.negative is None:
        return give_up(state, CODE, context)
    statement = metric_statement(state.key, view.said.opened(view.metrics(lane.metrics)))
    begun = ring_begin(view.ring(Purpose.ERRORS), statement, context)
    opening = replace(lane, ring=begun.ring, consents=(), opened=None, product=None)
    due = timers.CHECKS.set(RING_STEPS * state.step_seconds, lane.at)
    told = _relayed(view, ranges, Purpose.RANGES, context)
    return Step(replace(state, evaluation=opening), effects_of(told, begun.effects, due))


def _relayed(
    view: AttemptView, opening: SignedMessage, purpose: Purpose, context: Context
) -> list[SendMessage]:
    """The buyer's signed opening to both checkers: what follows from it must not wait for the buyer again."""
    body, at = OpeningRelayed(opening=opening), view.at
    return [message(context, checker, body, at, label=purpose.value) for checker in view.checkers]


def on_errors_opened(
    state: TrainingState, lane: RangingLane, received: Received[RingOpening], context: Context
) -> AttemptStep:
    """Name who is at fault; with nobody at fault the round is repeated without the trainers that were named.

    Or the training ends, where it may not be. Of several members the notice names the first one in seat
    order. Raises StaleInput for an opening of the ranges, which is over.
    """
    if received.body.purpose != Purpose.ERRORS.value:
        raise StaleInput
    view = AttemptView(state, context, lane)
    faults = _faults(view, lane, received.body, context)
    if faults:
        said = [facts.COMPLAINT.of(accused=one, round=lane.at.round, code=code) for one, code in faults]
        step = give_up(state, faults[0].code, context, fault=faults[0].accused)
        return Step(step.state, (*said, *step.effects))
    names = tuple(one.trainer for one in view.said.named)
    if not _may_repeat(state, lane, len(names), context):
        return give_up(state, CODE, context)
    repeated = _repeat(state, lane, names, context)
    # Before they have seen the errors themselves checkers take no part in what follows.
    told = _relayed(view, received.signed, Purpose.ERRORS, context)
    return Step(repeated.state, effects_of(told, repeated.effects))


def _faults(
    view: AttemptView, lane: RangingLane, body: RingOpening, context: Context
) -> tuple[ErrorsFault, ...]:
    assert lane.opened is not None
    numbers = lane.opened.load(SharedNumbers, context).numbers
    product: list[mpz] = read_ciphertexts(view.state.key, numbers, len(numbers))
    known = known_shares(lane.ring, view.ring(Purpose.ERRORS), context)
    chance = context.randomness(Label.JUDGED_ERRORS)
    return view.said.judge(product, body, known, view.state.opened.buyer, chance).faults


# ---- the round is repeated ----


def _may_repeat(state: TrainingState, lane: RangingLane, named: int, context: Context) -> bool:
    """Whether two trainers, and an attempt, would remain, and owners' budgets hold another one."""
    trainers, start = lane.trained.trainers, AttemptView(state, context, lane).request_body.start
    remain = trainers.bit_count() - named >= 2 and lane.attempt < MAXIMUM_ATTEMPTS
    return remain and is_affordable(trainers, named, start, state.request, state.link)


def _repeat(
    state: TrainingState, lane: RangingLane, names: tuple[Address, ...], context: Context
) -> Step[TrainingState]:
    """Ask the buyer again, for those that remain; what was trained from the round's model is discarded.

    The remaining updates stay: they are of the round's start, which has not changed.
    """
    out, at = state.parties.mask(names), lane.at
    trained = _without(lane.trained, out, names)
    after = replace(
        state,
        dropped=state.dropped | out,
        training_lane=None,
        trained=None,
        next_round=at.round + 1,
        repeated=RepeatedRound(round=at.round, attempt=at.attempt, refused=lane.complaint),
        repetitions=state.repetitions + 1,
    )
    asked = _ask(after, lane, trained, context)
    notices = attendance.drop_notices(after, out, at, SAT_OUT, context)
    over = facts.ATTEMPT_OVER.of(round=at.round, attempt=at.attempt, code=SAT_OUT)
    waits = (
        timers.CHECKS.cancel(at),
        timers.UPDATES.cancel(at.round + 1),
        timers.MOMENTS.cancel(RoundAttempt(at.round + 1, 1)),
    )
    return Step(asked.state, effects_of(notices, over, waits, asked.effects))


def _ask(
    state: TrainingState, lane: RangingLane, trained: TrainedRound, context: Context
) -> Step[TrainingState]:
    """The next attempt, by the same members, at what is left of the round."""
    number = lane.attempt + 1
    start = TrainingView(state, context).start(trained.round, lane.validators, number)
    at = RoundAttempt(trained.round, number)
    question, effects = ask(state, at, trained.updates, trained.start_model, start, context)
    again = RepeatingLane(
        trained=trained,
        attempt=number,
        validators=lane.validators,
        stuck=lane.stuck,
        refused=lane.complaint,
        question=question,
    )
    return Step(replace(state, evaluation=again), (announced(state, again, context), *effects))


def _without(trained: TrainedRound, out: int, names: tuple[Address, ...]) -> TrainedRound:
    updates = tuple(one for one in trained.updates if one.owner not in names)
    return replace(trained, trainers=trained.trainers & ~out, updates=updates)
