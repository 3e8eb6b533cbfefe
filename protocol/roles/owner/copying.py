"""The data set that a training works with, copied once the chain shows the owner's seat.

Before, nothing looks at rows: neither what an owner answers nor when could follow from them.
"""

from protocol.codec import unpack
from protocol.data_card import DataCard
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.requirements import noted_mismatches
from protocol.roles.engine import facts, private
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.state import InitiatedState, OwnerState

UNREADABLE = "its rows could not be read again as they were added: add the file again"
"""Why a data set does not serve a kind of model that is fitted to its rows."""


def with_copy(state: InitiatedState, context: Context) -> Step[OwnerState]:
    """Keep the statistic that was joined with: to replace or remove the data set changes nothing any more.

    One that went since it was decided, has another card than the owner was admitted with, or does not serve
    the request any more, is not taken: the training starts without this owner.
    """
    card = context.private.get(private.CARD.name_of(state.data_set))
    content = context.private.get(private.DATA_SET.name_of(state.data_set))
    if card is None or content is None:
        return unserved(state, "there is no such data set any more")
    shown = unpack(DataCard, card)
    if state.card is not None and shown.hash() != state.card:
        return unserved(state, "its card is another than the one it was admitted with")
    reasons = noted_mismatches(state.request, shown)
    if reasons:
        return unserved(state, *reasons)
    statistic = Statistic.from_bytes(content)
    if kind_of(state.request).reads_rows and statistic.fitted is None:
        return unserved(state, UNREADABLE)
    kept, blob = store(content)
    return Step(replace(state, rows=statistic.rows, statistic=kept), (blob,))


def unserved(state: InitiatedState, *reasons: str) -> Step[OwnerState]:
    """No data set is taken, and it is said why not."""
    fact = facts.DATA_SET_DOES_NOT_MATCH.of(data_set=state.data_set, reasons=list(reasons))
    return Step(state, (fact,))
