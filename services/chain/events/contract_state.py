"""What the contract's state must be once an event has taken place: a second witness beside the logs.

The state of a training only moves on, so it is compared at the newest block.
"""

from protocol.marketplace import (
    Credited,
    Joined,
    MarketplaceEvent,
    Opened,
    Revealed,
    RolesDrawn,
    RoundRecorded,
    training_of,
)
from services.chain.contract.views import MarketplaceViews

_STATUSES_AFTER = {
    "Closed": ("drawing", "running", "settled", "cancelled"),
    "Settled": ("settled",),
    "Cancelled": ("cancelled",),
}


async def difference(views: MarketplaceViews, event: MarketplaceEvent) -> str | None:
    """In what the state differs from what the event says, None where it fits or holds no trace of it.

    Registrations may have changed since, and credits were withdrawn. Raises ChainUnavailable or RpcError.
    """
    state: object
    said: object
    match event:
        case Opened():
            state = await views.opening_of(event.training)
            said = (event.buyer, event.deposit, event.terms)
        case Joined():
            seats = (await views.owners(event.training)).seats
            state, said = seats[event.seat : event.seat + 1], (event.owner,)
        case Revealed():
            state, said = (await views.draw_of(event.training)).revealed >> event.seat & 1, 1
        case RolesDrawn():
            return await _of_roles(views, event)
        case RoundRecorded():
            return await _of_round(views, event)
        case Credited():
            # Whoever is credited has claimed all of it, or has no seat.
            state, said = await views.claimable_of(event.training, event.account), 0
        case _:
            return await _of_status(views, event)
    return None if state == said else "the contract's state is another"


async def _of_roles(views: MarketplaceViews, event: RolesDrawn) -> str | None:
    owners = await views.owners(event.training)
    if (owners.trainers, owners.validators) == (event.trainers, event.validators):
        return None
    same = owners.trainers | owners.validators == event.trainers | event.validators
    # Nobody validates in two folds.
    if same and not event.validators & owners.validators and await _is_in_later_fold(views, event.training):
        return None
    return "the contract's state is another"


async def _is_in_later_fold(views: MarketplaceViews, training: int) -> bool:
    """Whether a fold before the one under way had roles of its own, among the same seats."""
    _buyer, _deposit, terms = await views.opening_of(training)
    if terms is None or terms.folds == 1:
        return False
    return (await views.progress(training)).recorded >= terms.rounds // terms.folds


async def _of_round(views: MarketplaceViews, event: RoundRecorded) -> str | None:
    progress = await views.progress(event.training)
    if progress.recorded < event.round:
        return f"{progress.recorded} rounds are recorded"
    if progress.recorded == event.round and progress.last_mse != event.mse_after:
        return "the contract's last error is another"
    return None


async def _of_status(views: MarketplaceViews, event: MarketplaceEvent) -> str | None:
    expected = _STATUSES_AFTER.get(event.event)
    if expected is None:
        return None
    status = await views.status(training_of(event))
    return None if status in expected else f"the training is {status}"
