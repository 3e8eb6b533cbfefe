"""An owner's rows read once more with the request known, for the kinds of models that need it.

An owner commits with its acceptance to what its rows lead to, so they are read then, of a training whose
deposit is paid and that policy or person joins: how long that takes tells whom it answers about how many rows
there are, which all who take part are told once the roles are drawn.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from protocol.bodies import body_of
from protocol.data_set import DataSet
from protocol.errors import DeltaMLError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.marketplace import Opened
from protocol.messages import Invitation, OwnerDecision
from protocol.owner_policy import OwnerPolicy
from protocol.request import Request
from protocol.requirements import mismatches
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, input_name
from protocol.roles.owner.joining import would_join
from protocol.roles.owner.state import UndecidedState
from services.data.catalog import Catalog
from services.data.sandboxed_fit import fit_apart


async def fitted_statistic(
    request: Request, name: str, data_set: DataSet, catalog: Catalog | None
) -> Statistic:
    """A data set's statistic, with the fit of its rows where the kind of model needs one.

    Without it where the rows are not at hand any more, or are others: the step then says that the data set
    does not serve the request, and the training starts without this owner.
    """
    if not kind_of(request).reads_rows or mismatches(request, data_set.card):
        return data_set.statistic
    try:
        if data_set.tables is not None:
            return await asyncio.to_thread(with_fit, request, data_set.statistic, data_set.tables)
        if catalog is not None:
            source = Path(catalog.entry(name).source)
            return await fit_apart(source, request, data_set.statistic)
    except DeltaMLError:  # whoever added the rows is told by the step, which knows the training
        return data_set.statistic
    return data_set.statistic


def names_to_fit(
    state: UndecidedState, item: Input, request: Request, policy: OwnerPolicy, values: Mapping[str, bytes]
) -> frozenset[str]:
    """The data sets that an undecided owner's step may join with; `values` are the step's private ones.

    Of no others rows are read: how long an answer takes would tell of rows with which nobody takes part.
    Raises ProtocolViolation for a decision that cannot be read.
    """
    if input_name(item) == "owner_decision":
        assert isinstance(item, MessageReceived)
        decision = body_of(item.signed, OwnerDecision)
        name = decision.data_set or state.data_set
        return frozenset([name] if decision.accept and name is not None else [])
    if state.opened is not None:
        buyer = state.opened.buyer
    elif isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened):
        buyer = item.chain_event.event.buyer
    else:
        return frozenset()
    joined = would_join(request, buyer, policy, values)
    return frozenset([] if joined is None else [joined])


def joined_request(state: UndecidedState, item: Input, early: Sequence[Input] = ()) -> Request | None:
    """The request that an input may have an owner join, if any; who has paid no deposit has no rows read.

    `early` are invitations that came before the opening: with that the same step takes one up. Raises
    ProtocolViolation for an invitation that cannot be read.
    """
    if isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened):
        aggregator = item.chain_event.event.aggregator
        invited = (one.signed for one in early if isinstance(one, MessageReceived))
        bodies = (body_of(one, Invitation) for one in invited if one.envelope.sender == aggregator)
        return next((body.request for body in bodies), state.request)
    if state.opened is None:
        return None
    if isinstance(item, MessageReceived) and input_name(item) == "invitation":
        return body_of(item.signed, Invitation).request
    return state.request
