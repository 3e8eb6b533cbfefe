"""A data owner between the close of the joining and the draw: it reveals its nonce, and sees to the draw."""

from protocol.marketplace import Closed, Reveal, Revealed
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall, effects_of
from protocol.roles.engine.inputs import Refused
from protocol.roles.engine.state import replace
from protocol.roles.owner import stall
from protocol.roles.owner.state import InitiatedState, OwnerState
from protocol.roles.shared.deadlines import owner_turn
from protocol.roles.shared.drawing import draw_call, draw_timer, reveal_until


def on_closed(state: InitiatedState, _event: Closed, context: Context) -> Step[OwnerState]:
    """The joining is over: reveal the nonce, with which the roles are drawn.

    An owner whose data set has gone since it joined has nothing to take part with: it gives its seat up.
    """
    until = reveal_until(state.opened.terms, context)
    closed = replace(state, closed=True, progressed_at=until)
    takes_part = context.address in state.parties.seats and bool(state.nonce) and bool(state.rows)
    call = SubmitCall(call=Reveal(training=state.training, nonce=state.nonce)) if takes_part else None
    return Step(closed, effects_of(call, stall.stall_timer(closed, context), _draw_timer(closed, context)))


def on_revealed(state: InitiatedState, event: Revealed, context: Context) -> Step[OwnerState]:
    """An owner keeps its seat; with the last one the roles are due at once."""
    revealed = replace(state, parties=state.parties.with_reveal(event))
    if not revealed.parties.all_revealed:
        return Step(revealed)
    return Step(revealed, effects_of(_draw_timer(revealed, context)))


def on_reveal_refused(state: InitiatedState, refusal: Refused[Reveal], _context: Context) -> Step[OwnerState]:
    """The contract takes no nonce of ours any more: without us the roles will be drawn."""
    return Step.unchanged(state, facts.REVEAL_REFUSED.of(code=refusal.code))


def on_draw_due(state: InitiatedState, _about: None, _context: Context) -> Step[OwnerState]:
    """Nobody before us has had the roles drawn: do so, again until the chain shows it."""
    again = timers.DRAW.set(float(state.request.deadlines.chain_s))
    call = draw_call(state.training, state.parties, state.opened.terms)
    return Step.unchanged(state, SubmitCall(call=call), again)


def _draw_timer(state: InitiatedState, context: Context) -> SetTimer | None:
    """Aggregator and buyer come first, then owners by their seats; who has none sees to nothing."""
    seats = state.parties.seats
    if context.address not in seats:
        return None
    turn = owner_turn(float(state.request.deadlines.chain_s), seats.index(context.address))
    return draw_timer(state.parties, state.opened.terms, state.progressed_at, context, turn)
