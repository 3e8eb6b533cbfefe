"""An attempt begins: its members are shown all that a round's checks start from, and may go on from there.

Attempts are consecutive, three at most. Each names whom it leaves out, and who is left out stays out: by
leaving out one member now and another then, the aggregator would have each one's numbers as a difference.
"""

from collections.abc import Sequence
from functools import reduce

from protocol.crypto.cipher import ShortExponentBlinder
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.learning.judgement.members import MAXIMUM_ATTEMPTS
from protocol.messages.opening import SignedRefusal
from protocol.messages.rounds import MomentAnswer, MomentRequest, RoundEvidence
from protocol.messages.rounds.moments import AttemptAnnounced, LeftOutMember
from protocol.roles.aggregator import attendance
from protocol.roles.aggregator.attempts import (
    AnsweredAttempt,
    AskingLane,
    CheckedAttempt,
    CheckingLane,
    Exchange,
    KeptMask,
    MaskedAttempt,
    ProvenRound,
    RepeatingLane,
    Rescaled,
)
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.rounds.moments import ask, carried_on, made_again
from protocol.roles.aggregator.rounds.view import AttemptView, TrainingView
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, effects_of
from protocol.roles.engine.state import replace
from protocol.roles.rounds.attempt import evidence_digest
from protocol.roles.rounds.faults import SILENT_MEMBERS
from protocol.roles.rounds.ring import ring_begin
from protocol.types import Address, RoundAttempt, Seats
from protocol.vectors import EncryptedVector

AttemptStep = Step[TrainingState | EndingState]

CHECK_STEPS = 3
"""Turns of the checkers, with each other, the aggregator and the buyer, in which an attempt is checked."""


def start_next(state: TrainingState, context: Context) -> Step[TrainingState]:
    """Begin measuring the trained round that waits, once the round before it is recorded.

    Only then have all members the start of it from the chain, and nobody from the aggregator.
    """
    trained = state.trained
    if state.evaluation is not None or trained is None or state.recorded < trained.round - 1:
        return Step.unchanged(state)
    attempt = MaskedAttempt(
        trained=trained,
        attempt=1,
        validators=state.parties.validators & ~state.dropped,
        left_out=state.left,
    )
    told = announced(state, attempt, context)
    shown = show(replace(state, trained=None, left=()), attempt, trained.exchange, context)
    return Step(shown.state, (told, *shown.effects))


def show(
    state: TrainingState, attempt: MaskedAttempt, exchange: Exchange, context: Context
) -> Step[TrainingState]:
    """Send the evidence to all members, and commit to a share of the next model's check."""
    body = _evidence(state, attempt, exchange, context)
    members = state.parties.addresses(attempt.validators)
    sent = [message(context, member, body, attempt.at) for member in members]
    fields = {name: getattr(attempt, name) for name in MaskedAttempt.model_fields}
    view = AttemptView(state, context, AnsweredAttempt(**fields, exchange=exchange))
    begun = ring_begin(view.ring(Purpose.NEXT_MODEL), view.next_model.statement(), context)
    lane = CheckingLane(**fields, exchange=exchange, evidence=evidence_digest(body), ring=begun.ring)
    due = timers.CHECKS.set(CHECK_STEPS * state.step_seconds, attempt.at)
    return Step(replace(state, evaluation=lane), effects_of(sent, begun.effects, due))


def _evidence(
    state: TrainingState, attempt: MaskedAttempt, exchange: Exchange, context: Context
) -> RoundEvidence:
    trained, mask = attempt.trained, exchange.mask.load(KeptMask, context)
    request = exchange.request.load(MomentRequest, context)
    return RoundEvidence(
        start_model=trained.start_model.load(EncryptedVector, context),
        start=request.start,
        updates=TrainingView(state, context).signed(trained.updates),
        request=request,
        answer=exchange.answer.load(SignedMessage, context),
        masks=mask.masks,
        mask_roots=mask.roots,
        next_model=trained.refreshed_model.load(EncryptedVector, context),
        model_roots=_model_roots(state, attempt, context),
        rescaled=() if trained.rescaled is None else trained.rescaled.load(Rescaled, context).numbers,
        members=state.parties.addresses(attempt.validators),
        left_out=attempt.left_out,
        refused=None if attempt.refused is None else attempt.refused.load(SignedRefusal, context),
    )


def _model_roots(state: TrainingState, attempt: MaskedAttempt, context: Context) -> tuple[bytes, ...]:
    """n-th roots of what blinds the next model, beside the answer that it is made of."""
    if attempt.attempt > 1 and attempt.refused is None:
        return ()
    seed = attempt.trained.blinding.raw(context)
    blinder = ShortExponentBlinder(state.key, state.blinding_seed)
    roots = blinder.roots(state.request.parameters, Randomness(seed))
    length = (state.key.bits + 7) // 8
    return tuple(int(one).to_bytes(length, "big") for one in roots)


def announced(state: TrainingState, attempt: CheckedAttempt, context: Context) -> Effect:
    """The buyer answers nobody but the members and checkers that follow from it."""
    members = state.parties.addresses(attempt.validators)
    body = AttemptAnnounced(members=members, left_out=attempt.left_out)
    return message(context, state.opened.buyer, body, attempt.at)


# ---- the next attempt ----


def next_attempt(
    state: TrainingState, lane: MaskedAttempt, leaving: int, why: str, context: Context
) -> AttemptStep:
    """Measure the round again without these seats, where enough members and attempts remain.

    `why` is the code that they are told, and that is noted for people: who is not named stays. Without
    anybody the checkers alone are others. Where no attempt remains, the buyer is named if it alone can have
    been silent; and whoever leaves for something that it did is to blame for an end that comes of it, while
    of whoever leaves for silence all are told.

    Nobody leaves a round that was refused: the buyer has opened its errors, and without one of its members
    would have that one's numbers as the difference. Of silence the buyer is told then as well: it may have
    sent to some alone that the round is over.
    """
    over = facts.ATTEMPT_OVER.of(round=lane.at.round, attempt=lane.at.attempt, code=why)
    remaining = lane.validators & ~leaving
    if lane.attempt >= MAXIMUM_ATTEMPTS and is_the_buyers_silence(lane.stuck):
        return give_up(state, "buyer_silent", context, fault=state.opened.buyer)
    is_over = lane.attempt >= MAXIMUM_ATTEMPTS or (leaving != 0 and state.has_refused(lane.at.round))
    if is_over or remaining.bit_count() < max(2, state.parties.quorum):
        if why in SILENT_MEMBERS:
            seen = state.has_refused(lane.at.round)
            return give_up(state, "too_few_validators", context, silent=leaving, silent_buyer=seen)
        fault = _only_one(state, leaving)
        return give_up(state, "too_few_validators", context, fault=fault)
    notices = attendance.drop_notices(state, leaving, lane.at, why, context)
    state = replace(state, dropped=state.dropped | leaving)
    left = tuple(
        LeftOutMember(member=member, why="silent" if why in SILENT_MEMBERS else "named")
        for member in state.parties.addresses(leaving)
    )
    again = MaskedAttempt(
        trained=lane.trained,
        attempt=lane.attempt + 1,
        validators=remaining,
        left_out=left,
        stuck=lane.stuck,
    )
    asked = _ask_again(state, again, context)
    waits = (timers.CHECKS.cancel(lane.at), timers.CONSENTS.cancel(lane.at))
    return Step(asked.state, (*notices, over, *waits, *asked.effects))


def _only_one(state: TrainingState, seats: Seats) -> Address | None:
    """The address in a mask of one seat; None for another."""
    addresses = state.parties.addresses(seats)
    return addresses[0] if len(addresses) == 1 else None


def is_the_buyers_silence(stuck: Sequence[Seats]) -> bool:
    """Whether no checker was in all of these attempts, given as the masks of their checkers.

    Checkers that come to no verdict wait for each other or for the buyer. Of one dishonest party, a checker
    is in each attempt that it stops: where none is in all, the buyer it is.
    """
    return bool(stuck) and not reduce(int.__and__, stuck)


def _ask_again(state: TrainingState, attempt: MaskedAttempt, context: Context) -> Step[TrainingState]:
    """An attempt has its own exchange with the buyer: its start may be measured now."""
    trained: ProvenRound = attempt.trained
    start = TrainingView(state, context).start(trained.round, attempt.validators, attempt.attempt)
    at = RoundAttempt(*attempt.at)
    question, effects = ask(state, at, trained.updates, trained.start_model, start, context)
    fields = {name: getattr(attempt, name) for name in MaskedAttempt.model_fields}
    lane = AskingLane(**fields, question=question)
    return Step(replace(state, evaluation=lane), (announced(state, attempt, context), *effects))


def on_further_answer(
    state: TrainingState,
    lane: AskingLane | RepeatingLane,
    exchange: Exchange,
    answer: tuple[Effect, MomentAnswer],
    context: Context,
) -> Step[TrainingState]:
    """The buyer has answered for a further attempt: its members are shown all of it.

    Where the round is repeated without a trainer, the next model is made of this answer.
    """
    blob, body = answer
    fields = {name: getattr(lane, name) for name in CheckedAttempt.model_fields}
    effects: tuple[Effect, ...] = (blob,)
    if isinstance(lane, RepeatingLane):
        trained, made = made_again(state, lane.trained, exchange, body, context.knowing((blob,)))
        carried, kept = carried_on(state, trained, context.knowing((blob, *made)))
        made, fields["trained"] = (*made, *kept), trained
        state = replace(state, next_model=trained.refreshed_model, carried=carried)
        effects = (blob, *made)
    attempt = MaskedAttempt(**fields)
    shown = show(state, attempt, exchange, context.knowing(effects))
    return Step(shown.state, (*effects, timers.MOMENTS.cancel(lane.at), *shown.effects))
