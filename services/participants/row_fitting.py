"""An owner's rows read once more with the request known, for the kinds of models that need it.

An owner commits with its acceptance to what its rows lead to, so they are read then, of a training whose
deposit is paid: how long that takes tells whom it answers about how many rows there are.
"""

import asyncio
from pathlib import Path

from protocol.bodies import body_of
from protocol.data_set import DataSet
from protocol.errors import DeltaMLError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.messages import Invitation
from protocol.request import Request
from protocol.requirements import mismatches
from protocol.roles.engine.inputs import Input, MessageReceived, input_name
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


def joined_request(state: UndecidedState, item: Input) -> Request | None:
    """The request that an input may have an owner join, if any; who has paid no deposit has no rows read.

    Raises ProtocolViolation for an invitation that cannot be read.
    """
    if state.opened is None and input_name(item) != "Opened":
        return None
    if isinstance(item, MessageReceived) and input_name(item) == "invitation":
        return body_of(item.signed, Invitation).request
    return state.request
