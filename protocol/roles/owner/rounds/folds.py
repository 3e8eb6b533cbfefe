"""A data owner where a fold begins: who has validated trains now, and one fold's trainers validate."""

from protocol.marketplace import RolesDrawn
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.state import replace
from protocol.roles.owner.rounds.evidence import link_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.folds import at_next_fold, in_next_fold
from protocol.roles.shared.parties import public_key_of


def on_next_fold(state: RunningState, event: RolesDrawn, context: Context) -> Step[OwnerState]:
    """Go on in the role that the chain has told; it has committed to what it does in either one."""
    parties = in_next_fold(state, link_of(state), event)
    trains = context.address in parties.addresses(parties.trainers)
    begun = replace(
        state,
        parties=parties,
        link=at_next_fold(link_of(state), state.request, public_key_of(state.n)),
        standing=0,
        attempt=None,
    )
    return Step(begun, (facts.ROLE_DRAWN.of(role="trainer" if trains else "validator"),))
