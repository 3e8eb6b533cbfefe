"""Between joining and the first round: nonces are revealed, roles drawn, the last row counts come in."""

from protocol.marketplace import Closed, Revealed
from protocol.roles.aggregator.joining import admitted_owners
from protocol.roles.aggregator.state import (
    DrawingState,
    InvitingState,
    PreparedState,
    chain_seconds,
    contract_ends_at,
)
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect, SubmitCall, effects_of
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import enter, replace
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.drawing import draw_call, draw_timer, reveal_until
from protocol.roles.shared.parties import Parties


def on_closed(state: InvitingState, _event: Closed, context: Context) -> Step[DrawingState]:
    """The joining is over: owners reveal their nonces, and then the roles are drawn."""
    terms = state.opened.terms
    until = reveal_until(terms, context)
    drawing = enter(DrawingState, state, failure=None, ends_at=contract_ends_at(state.opened, until))
    wait = draw_timer(drawing.parties, terms, until, context, 0.0)
    # Noted with the call as well, which a store that came back from before it does not know of.
    bond = note_bond(state.training, terms, terms.aggregator_bond)
    return Step(drawing, effects_of(timers.JOIN.cancel(), wait, bond))


def on_revealed(state: DrawingState, event: Revealed, _context: Context) -> Step[DrawingState]:
    """An owner keeps its seat; with the last one the roles can be drawn."""
    revealed = replace(state, parties=state.parties.with_reveal(event))
    return Step(revealed, _draw(revealed) if revealed.parties.all_revealed else ())


def on_draw_due(state: DrawingState, _about: None, _context: Context) -> Step[DrawingState]:
    """Nobody can reveal any more, or the chain shows no draw yet: ask for it, again and again."""
    return Step.unchanged(state) if state.parties.drawn else Step.unchanged(state, *_draw(state))


def _draw(state: DrawingState) -> tuple[Effect, ...]:
    call = draw_call(state.training, state.parties, state.opened.terms)
    return SubmitCall(call=call), timers.DRAW.set(chain_seconds(state))


def require_seat(state: PreparedState, owner: str, context: Context) -> None:
    """Raise ProtocolViolation unless it is an admitted owner that has joined."""
    require(owner in admitted_owners(state, context), "not_admitted")
    state.parties.seat_of(owner)


def silent_seats(parties: Parties, rows: dict[str, int]) -> int:
    """The drawn seats that have not said how many rows they have."""
    return parties.mask(tuple(owner for owner in parties.taking_part() if owner not in rows))
