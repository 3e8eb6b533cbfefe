"""The model buyer before the start: it opens the training on chain and sends its aggregator the request."""

from protocol.crypto.cipher import prove_key
from protocol.errors import ProtocolViolation, WidthError
from protocol.marketplace import Cancel, Closed, Joined, Open, Opened, Revealed, RolesDrawn
from protocol.messages import (
    JoiningProgress,
    RequestAnswer,
    StopOrder,
    TrainingFailed,
    TrainingOrder,
    TrainingRequest,
)
from protocol.payment import DepositTooLow, check_deposit
from protocol.request import Request
from protocol.roles.buyer.admission import with_nobody_waiting
from protocol.roles.buyer.delivery import on_failed_notice
from protocol.roles.buyer.state import (
    BuyerStep,
    CancellableState,
    InitiatedState,
    OpenedState,
    OrderedState,
    RunningState,
    cancel,
    fail,
    private_key_of,
    stall_timer,
    terms_of,
)
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SetTimer, SubmitCall, effects_of
from protocol.roles.engine.inputs import Received, Refused
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import enter, replace
from protocol.roles.rounds.requests import check_checkable, require_checkable
from protocol.roles.rounds.start import first_link
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.deadlines import seconds_to_the_end
from protocol.roles.shared.drawing import draw_call, draw_timer, reveal_until
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.roles.shared.request_widths import check_widths


def check_order(request: Request) -> None:
    """Whether this can be ordered, before anything is sent or a deposit paid.

    Raises WidthError where its numbers could overflow, DepositTooLow below the contract's floor, and
    MisuseError where its rounds cannot be checked; each with value, bound and remedy.
    """
    check_widths(request)
    check_deposit(request)
    check_checkable(request)


def require_possible(request: Request) -> None:
    """As `check_order` for an order that has come: raises ProtocolViolation with a code."""
    try:
        check_widths(request)
        check_deposit(request)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None
    except DepositTooLow as error:
        raise ProtocolViolation("deposit_too_low", str(error)) from None
    require_checkable(request)


def on_order(state: OrderedState, _order: Received[TrainingOrder], _context: Context) -> BuyerStep:
    """Open the training on chain with its deposit."""
    # A second order of the same instance would pay a second deposit.
    require(not state.submitted, "ordered_twice")
    request = state.request
    call = Open(terms=terms_of(state), deposit=request.payment.deposit_wei)
    return Step(replace(state, submitted=True), (SubmitCall(call=call),))


def on_opening_late(state: OrderedState, _about: None, _context: Context) -> BuyerStep:
    """The chain has not shown the opening: tell people.

    The order cannot be taken back, since its transaction may be under way; the outbox sends it until it is
    there.
    """
    again = timers.OPEN.set(max(3600.0, state.request.deadlines.chain_s))
    return Step.unchanged(state, facts.OPENING_LATE.of(), again)


def on_open_refused(state: OrderedState, refusal: Refused[Open], _context: Context) -> BuyerStep:
    """The contract refused to open the training."""
    return Step(fail(state, f"open_{refusal.code}"), (facts.OPEN_REFUSED.of(code=refusal.code),))


def on_opened(state: OrderedState, event: Opened, context: Context) -> BuyerStep:
    """Send the aggregator the request and the key with its proof."""
    require(event.buyer == context.address and event.terms == terms_of(state), "not_mine")
    private = private_key_of(context)
    body = TrainingRequest(
        request=state.request,
        public_key=private.public_key.n,
        key_proof=tuple(prove_key(private)),
    )
    opened = enter(OpenedState, state, training=event.training)
    join_wait = state.request.deadlines.join_s + state.request.deadlines.chain_s
    return Step(
        opened,
        effects_of(
            message(context, state.request.aggregator, body),
            timers.OPEN.cancel(),
            timers.ANSWER.set(state.request.deadlines.chain_s),
            timers.JOIN.set(join_wait),
            facts.OPENED.of(training=event.training, deposit_wei=str(event.deposit)),
            note_bond(event.training, event.terms, event.terms.buyer_bond),
        ),
    )


def on_request_answer(
    state: CancellableState, answer: Received[RequestAnswer], _context: Context
) -> BuyerStep:
    """Wait for owners, or take the deposit back when the aggregator refuses."""
    require_sender(answer.sender, state.request.aggregator)
    if answer.body.accepted:
        return Step(replace(state, accepted=True), (timers.ANSWER.cancel(),))
    return cancel(state, answer.body.code)


def on_joining_progress(
    state: CancellableState, progress: Received[JoiningProgress], _context: Context
) -> BuyerStep:
    """Note who is asked, joined, waits and declined; take the deposit back once too few are left to come."""
    require_sender(progress.sender, state.request.aggregator)
    body = progress.body
    declined, waiting = (
        {group.code: group.owners for group in groups} for groups in (body.declined, body.waiting)
    )
    fact = facts.JOINING.of(asked=body.asked, joined=body.joined, declined=declined, waiting=waiting)
    if body.possible >= state.request.owners.minimum or state.failure is not None:
        return Step.unchanged(state, fact)
    cancelling = cancel(state, "not_enough_owners")
    return Step(cancelling.state, (fact, *cancelling.effects))


def on_silence_before_start(state: OpenedState, _about: None, _context: Context) -> BuyerStep:
    """The aggregator does not answer: take the deposit back; StaleInput where it just has."""
    if state.accepted:
        raise StaleInput
    return cancel(state, "aggregator_silent")


def on_join_over(state: CancellableState, _about: None, _context: Context) -> BuyerStep:
    """Too few owners came, or no roles were drawn: take the deposit back once the contract lets us."""
    again = timers.JOIN.set(float(state.request.deadlines.chain_s))
    if isinstance(state, InitiatedState) and state.progressed_at:
        return Step.unchanged(state, SubmitCall(call=Cancel(training=state.training)), again)
    cancelling = cancel(state, "not_enough_owners")
    return Step(cancelling.state, (*cancelling.effects, again))


def on_joined(state: CancellableState, event: Joined, _context: Context) -> BuyerStep:
    """Note the seat of an owner that joined."""
    joined = enter(InitiatedState, state, parties=state.parties.with_seat(event))
    return Step(joined, (timers.ANSWER.cancel(),))


def on_closed(state: InitiatedState, _event: Closed, context: Context) -> BuyerStep:
    """The joining is over: owners reveal their nonces, and the roles are due.

    Where none are drawn, the contract gives the deposit back as if the first round was late.
    """
    terms = terms_of(state)
    until = reveal_until(terms, context)
    over = with_nobody_waiting(state)
    closed = replace(over.state, progressed_at=until, failure=_failure_so_far(state))
    last_resort = timers.JOIN.set(seconds_to_the_end(terms, until, context.now))
    return Step(closed, (last_resort, _draw_timer(closed, context), *over.effects))


def on_revealed(state: InitiatedState, event: Revealed, context: Context) -> BuyerStep:
    """An owner keeps its seat; with the last one the roles are due at once."""
    revealed = replace(state, parties=state.parties.with_reveal(event))
    return Step(revealed, (_draw_timer(revealed, context),) if revealed.parties.all_revealed else ())


def _draw_timer(state: InitiatedState, context: Context) -> SetTimer:
    """The aggregator comes first."""
    turn = float(state.request.deadlines.chain_s)
    return draw_timer(state.parties, terms_of(state), state.progressed_at, context, turn)


def on_draw_due(state: InitiatedState, _about: None, _context: Context) -> BuyerStep:
    """The aggregator has not had the roles drawn: do so, again until the chain shows it."""
    call = draw_call(state.training, state.parties, terms_of(state))
    again = timers.DRAW.set(float(state.request.deadlines.chain_s))
    return Step.unchanged(state, SubmitCall(call=call), again)


def on_roles_drawn(state: InitiatedState, event: RolesDrawn, context: Context) -> BuyerStep:
    """The contract has drawn trainers and validators: the training runs, from a start that all make alike."""
    running = enter(
        RunningState,
        state,
        parties=replace(state.parties, trainers=event.trainers, validators=event.validators),
        failure=_failure_so_far(state),
        progressed_at=state.progressed_at or context.now,
        link=first_link(state.request, public_key_of(state.n)),
    )
    waits = timers.JOIN.cancel(), timers.ANSWER.cancel(), timers.DRAW.cancel()
    return Step(running, (*waits, stall_timer(running, context)))


def _failure_so_far(state: InitiatedState) -> str | None:
    """A cancelling came too late; only what our own operator wants stands."""
    return "stopped_by_buyer" if state.stopped else None


def on_stop(state: CancellableState, order: Received[StopOrder], context: Context) -> BuyerStep:
    """The operator stops the training before its start: the deposit comes back."""
    require_sender(order.sender, context.address)
    return cancel(replace(state, stopped=True), "stopped_by_buyer")


def on_failed_before_start(
    state: CancellableState, notice: Received[TrainingFailed], context: Context
) -> BuyerStep:
    """The aggregator will not start the training: take the deposit back."""
    noted = on_failed_notice(state, notice, context)
    cancelling = cancel(noted.state, noted.state.failure or notice.body.code)
    return Step(cancelling.state, (*noted.effects, *cancelling.effects))
