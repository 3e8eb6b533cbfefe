"""Proven metrics and verdicts of an attempt come in; with all of them the members are shown them."""

from protocol.bodies import body_of
from protocol.crypto.ring.context import Purpose
from protocol.messages.rounds import CheckVerdict, MomentAnswer, ProvenMetric, ShownMetrics
from protocol.roles.aggregator.attempts import (
    AgreeingLane,
    CheckedAttempt,
    CheckingLane,
    MomentsLane,
    QuestioningLane,
    RangingLane,
    ShownAttempt,
)
from protocol.roles.aggregator.lanes import Answer, attempt_out_of_order
from protocol.roles.aggregator.rounds import ranges
from protocol.roles.aggregator.rounds.complaints import on_complaint, on_other_statement, on_refused_question
from protocol.roles.aggregator.rounds.evidence import (
    CHECK_STEPS,
    AttemptStep,
    next_attempt,
    on_further_answer,
)
from protocol.roles.aggregator.rounds.moments import answered, on_first_answer, require_due
from protocol.roles.aggregator.rounds.view import AttemptView
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.proofs import read_metric
from protocol.roles.rounds.ring import ring_begin
from protocol.types import FrozenModel, RoundAttempt, mask_of


def on_moment_answer(
    state: TrainingState, received: Received[MomentAnswer], context: Context
) -> Step[TrainingState]:
    """The buyer's products: of a round in training, or of a further attempt at the one that is measured."""
    lane = require_due(state, received)
    if isinstance(lane, MomentsLane):
        return on_first_answer(state, received, context)
    exchange, blob = answered(state, lane.question, received, context)
    return on_further_answer(state, lane, exchange, (blob, received.body), context)


# ---- the metrics ----


def on_proven_metric(state: TrainingState, received: Received[ProvenMetric], context: Context) -> AttemptStep:
    """Keep a member's metric; with the last one verify all proofs together."""
    lane, body = checking_lane(state, received), received.body
    seat, owner = state.parties.seat_of(received.sender), received.sender
    require(lane.validators >> seat & 1 == 1, "not_a_validator")
    require(all(one.owner != owner for one in lane.metrics), "measured_twice")
    require(body.evidence_digest == lane.evidence, "other_evidence")
    view = AttemptView(state, context, lane)
    read_metric(view.metric_proofs, owner, body, view.owners.of(owner))
    kept, blob = store(received.signed)
    metrics = state.in_seat_order((*lane.metrics, Answer(owner=owner, message=kept)))
    lane = replace(lane, metrics=metrics)
    after, known = replace(state, evaluation=lane), context.knowing((blob,))
    if len(metrics) == lane.validators.bit_count() and (liars := _unproven(after, lane, known)):
        step = next_attempt(after, lane, liars, "unproven_metric", known)
    else:
        step = _show_when_complete(after, lane, known)
    return Step(step.state, (blob, *step.effects))


def _unproven(state: TrainingState, lane: CheckingLane, context: Context) -> int:
    """The seats whose proofs do not hold, as a mask: they are no metrics of what was committed to."""
    view = AttemptView(state, context, lane)
    proofs = view.metric_proofs
    claims = [
        read_metric(proofs, one.owner, body_of(signed, ProvenMetric), view.owners.of(one.owner))
        for one, signed in zip(lane.metrics, view.signed(lane.metrics), strict=True)
    ]
    return mask_of([state.parties.seat_of(owner) for owner in proofs.unproven(claims)])


# ---- the verdicts ----


def on_check_verdict(state: TrainingState, received: Received[CheckVerdict], context: Context) -> AttemptStep:
    """Keep a checker's verdict; one that finds the attempt not in order ends it (`complaints`).

    A second one is noticed when the attempt has gone on to be signed as well. Raises ProtocolViolation:
    "not_a_checker", "judged_twice", or "judged_too_early" and "other_digests" for one of something else than
    the attempt.
    """
    lane, body = require_current(state, received), received.body
    if not isinstance(lane, ShownAttempt):
        raise StaleInput
    owner = received.sender
    view = AttemptView(state, context, lane)
    require(owner in view.checkers, "not_a_checker")
    if body.ground == "question":
        # It is about the other one's test: it may come after a verdict that one's own are through.
        return on_refused_question(state, lane, received, context)
    if body.ground == "shown":
        return on_other_statement(state, lane, received, context)
    require(all(one.owner != owner for one in lane.verdicts), "judged_twice")
    assert isinstance(lane, CheckingLane)  # any other that was shown has both verdicts
    if not body.in_order:
        return on_complaint(state, lane, received, context)
    require(lane.product is not None, "judged_too_early", "the ring's product was not opened yet")
    assert lane.product is not None
    require(body.digests == view.digests(lane.product), "other_digests")
    kept, blob = store(received.signed)
    given = (*lane.verdicts, Answer(owner=owner, message=kept))
    verdicts = tuple(sorted(given, key=lambda one: view.checkers.index(one.owner)))
    lane = replace(lane, verdicts=verdicts)
    after, known = replace(state, evaluation=lane), context.knowing((blob,))
    step = _show_when_complete(after, lane, known)
    return Step(step.state, (blob, *step.effects))


# ---- all of it ----


def _show_when_complete(state: TrainingState, lane: CheckingLane, context: Context) -> Step[TrainingState]:
    """With every metric and both verdicts, all are shown them, and the ring of noise begins."""
    if len(lane.metrics) < lane.validators.bit_count() or len(lane.verdicts) < 2:
        return Step(state)
    view = AttemptView(state, context, lane)
    body = ShownMetrics(verdicts=view.signed(lane.verdicts), metrics=view.signed(lane.metrics))
    members = state.parties.addresses(lane.validators)
    sent = [message(context, member, body, lane.at) for member in members]
    statement = metric_statement(state.key, view.weighted(lane.metrics))
    begun = ring_begin(view.ring(Purpose.METRIC), statement, context)
    assert lane.product is not None
    fields = {name: getattr(lane, name) for name in ShownAttempt.model_fields if name != "ring"}
    agreeing = AgreeingLane(**fields, ring=begun.ring, digests=view.digests(lane.product))
    waits = (
        timers.CHECKS.cancel(lane.at),
        timers.CONSENTS.set(CHECK_STEPS * state.step_seconds, lane.at),
    )
    return Step(replace(state, evaluation=agreeing), effects_of(sent, begun.effects, waits))


def on_checks_late(state: TrainingState, at: RoundAttempt, context: Context) -> AttemptStep:
    """A next attempt without those who were silent, as far as that can be known.

    Who has sent no metric, or has not committed in the ring, had all that it needed from us. Whoever is late
    with anything after that may wait for the other checker, which can keep a message from it alone, or for
    the buyer: nobody is left out, and others check next; it is kept who checked this time.
    """
    lane = state.evaluation
    if isinstance(lane, QuestioningLane | RangingLane) and lane.at == at:
        return ranges.on_late(state, lane, context)
    if not isinstance(lane, CheckingLane) or lane.at != at:
        return Step.unchanged(state)
    answered_by = state.parties.mask(tuple(one.owner for one in lane.metrics))
    if silent := lane.validators & ~answered_by:
        return next_attempt(state, lane, silent, "metric_late", context)
    view = AttemptView(state, context, lane)
    if silent := state.parties.mask(silent_makers(view, lane)):
        return next_attempt(state, lane, silent, "ring_late", context)
    lane = replace(lane, stuck=(*lane.stuck, state.parties.mask(view.checkers)))
    return next_attempt(state, lane, 0, "verdict_late", context)


def silent_makers(view: AttemptView, lane: ShownAttempt) -> tuple[str, ...]:
    """The checkers that have not committed in a ring: they wait for nobody but us."""
    parts = zip(view.checkers, lane.ring.committed[1:], strict=True)
    return tuple(owner for owner, part in parts if part is None)


# ---- which attempt ----


def checking_lane(state: TrainingState, received: Received[FrozenModel]) -> CheckingLane:
    """The lane that waits for metrics and verdicts of this attempt; raises as `require_current` does."""
    lane = require_current(state, received)
    if not isinstance(lane, CheckingLane):
        raise StaleInput
    return lane


def require_current(state: TrainingState, received: Received[FrozenModel]) -> CheckedAttempt:
    """The attempt that a message is for.

    Raises StaleInput for one that is over, ProtocolViolation("attempt_out_of_order") for another, and
    ("not_a_party").
    """
    state.parties.seat_of(received.sender)
    lane = state.evaluation
    if received.at.round <= state.link.round or (lane is not None and received.at < lane.at):
        raise StaleInput
    if lane is None or received.at != lane.at:
        raise attempt_out_of_order(received.at)
    if not isinstance(lane, CheckedAttempt):
        raise StaleInput
    return lane
