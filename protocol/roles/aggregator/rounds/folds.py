"""The aggregator where a fold begins: the owners have other roles, and the public start is sent anew."""

from protocol.errors import WidthError
from protocol.marketplace import RolesDrawn
from protocol.messages.rounds.moments import LeftOutMember
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds.folds import in_next_fold
from protocol.roles.rounds.start import start_model
from protocol.roles.rounds.widths import checked_widths


def on_next_fold(
    state: TrainingState, event: RolesDrawn, context: Context
) -> Step[TrainingState | EndingState]:
    """Begin the fold whose roles the chain has told; who was dropped has none in it either."""
    parties = in_next_fold(state, state.link, event)
    model = start_model(state.request, state.key)
    start, blob = store(model)
    gone = parties.validators & state.dropped
    begun = replace(
        state,
        parties=parties,
        link=state.link.in_next_fold(model.digest()),
        next_model=start,
        training_lane=None,
        trained=None,
        evaluation=None,
        sitting_out=0,
        repeated=None,
        left=tuple(LeftOutMember(member=one, why="named") for one in parties.addresses(gone)),
    )
    if (parties.validators & ~gone).bit_count() < max(2, parties.quorum):
        return give_up(begun, "too_few_validators", context)
    try:
        checked_widths(state.request, parties)
    except WidthError:
        return give_up(begun, "widths_do_not_fit", context)
    return Step(begun, (blob,))
