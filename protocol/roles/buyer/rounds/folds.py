"""The buyer where a fold begins: other owners train and validate, from the public start."""

from protocol.marketplace import RolesDrawn
from protocol.roles.buyer.state import BuyerStep, RunningState, from_round
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.state import replace
from protocol.roles.rounds.folds import at_next_fold, in_next_fold
from protocol.roles.shared.parties import public_key_of


def on_next_fold(state: RunningState, event: RolesDrawn, _context: Context) -> BuyerStep:
    """Go on with the roles that the chain has told, all of whose owners take part until they are left out."""
    link = at_next_fold(state.link, state.request, public_key_of(state.n))
    begun = replace(
        state,
        parties=in_next_fold(state, state.link, event),
        link=link,
        standing=0,
        sat_out=0,
        **from_round(state, link.round + 1),
    )
    return Step(begun)
