"""The model buyer has what it has signed recorded, where its aggregator does not."""

from protocol.marketplace import Opened, RecordRound, RoundRecorded
from protocol.messages import RoundSignature
from protocol.roles.buyer.state import BuyerStep, RunningState, stall_timer, terms_of
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.inputs import Received, Refused
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.shared.accusing import accuse
from protocol.roles.shared.deadlines import accuser_turn
from protocol.roles.shared.signed_rounds import record_now, record_timer, with_recorded, with_signature


def on_round_signature(
    state: RunningState, received: Received[RoundSignature], context: Context
) -> BuyerStep:
    """Keep a validator's signature of a round that the chain does not show yet."""
    held = state.signed(received.at.round)
    if held is None:
        # Nobody can have signed a round that we have not opened.
        require(received.at.round <= state.link.round, "round_out_of_order")
        return Step.unchanged(state)
    opened = Opened(
        training=state.training,
        buyer=context.address,
        aggregator=state.request.aggregator,
        deposit=state.request.payment.deposit_wei,
        terms=terms_of(state),
    )
    if accusation := held.accusation(opened, received, context):
        turn = accuser_turn(opened.terms, float(state.request.deadlines.chain_s), None)
        return accuse(state, accusation, after=turn)
    after = with_signature(state, held, received, context)
    return Step(after, (record_timer(after, terms_of(state), context),))


def on_record_due(state: RunningState, _about: None, _context: Context) -> BuyerStep:
    """The aggregator has kept a signed record back for half of the round's time: send it."""
    return Step.unchanged(state, *record_now(state, float(state.request.deadlines.chain_s)))


def on_record_refused(state: RunningState, _refusal: Refused[RecordRound], _context: Context) -> BuyerStep:
    """Somebody else was first, or the contract's clock is behind ours: the timer that was set tries again."""
    return Step.unchanged(state)


def on_round_recorded(state: RunningState, event: RoundRecorded, context: Context) -> BuyerStep:
    """Note the round that the chain has recorded, and its errors."""
    begins = state.request.schedule.begins_fold(event.round)
    start = event.record.mse_before if begins else state.start_error
    delivered = event.mse_after if event.record.delivers else state.delivered_error
    after = with_recorded(state, event, context)
    after = replace(
        after,
        start_error=start,
        delivered_error=delivered,
        trained_by=event.record.trainers,
        measured_by=event.record.validators,
    )
    timer = record_timer(after, terms_of(state), context)
    return Step(after, (_round_fact(event), stall_timer(after, context), timer))


def _round_fact(event: RoundRecorded) -> RecordFact:
    return facts.ROUND_RECORDED.of(
        round=event.round,
        mse_before=str(event.record.mse_before),
        mse_after=str(event.mse_after),
        last=event.record.last,
    )
