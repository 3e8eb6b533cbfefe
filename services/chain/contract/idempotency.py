"""Whether a call's effect is on the chain already, so that a repeated call counts as done."""

from protocol import marketplace
from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords
from services.chain.contract.views import MarketplaceViews

_STATUSES = {
    "close": {"drawing", "running", "settled"},
    "draw": {"running", "settled"},
    "settle": {"settled"},
    "cancel": {"cancelled"},
}
"""In which a training is once the call took effect."""

_OVER = {"settled", "cancelled"}


async def already_done(views: MarketplaceViews, account: str, call: marketplace.ContractCall) -> bool:
    """True where `account` would only repeat itself, or where somebody else did what anyone may do."""
    match call:
        case marketplace.Register():
            return await _is_registered(views, account, call)
        case marketplace.Open():
            opened = await views.events("Opened", None, account)
            return any(event.terms.request_hash == call.terms.request_hash for event in opened)
        case marketplace.Join() | marketplace.Reveal():
            return await _is_seated(views, account, call)
        case marketplace.RecordRound():
            recorded = await views.events("RoundRecorded", hex(call.record.training), hex(call.record.round))
            return any(event.record == call.record for event in recorded)
        case (
            marketplace.Claim()
            | marketplace.ReleaseBond()
            | AccuseOfTwoRecords()
            | AccuseOfFalseOpening()
            | marketplace.Withdraw()
        ):
            return await _is_paid(views, account, call)
        case _:
            return await views.status(call.training) in _STATUSES[call.call]


async def _is_paid(
    views: MarketplaceViews,
    account: str,
    call: marketplace.Claim
    | marketplace.ReleaseBond
    | AccuseOfTwoRecords
    | AccuseOfFalseOpening
    | marketplace.Withdraw,
) -> bool:
    """Whether nothing is left that the call takes: pay, a credit, or a bond, another's for an accusation."""
    match call:
        case marketplace.Claim():
            is_over = await views.status(call.training) in _OVER
            return is_over and await views.claimable_of(call.training, account) == 0
        case marketplace.Withdraw():
            return await views.credit_of(account, call.token) == 0
        case marketplace.ReleaseBond():
            return await views.bond_of(call.training, account) == 0
        case _:
            return await views.bond_of(call.training, call.account) == 0


async def _is_registered(views: MarketplaceViews, account: str, call: marketplace.Register) -> bool:
    role = await views.role_of(account)
    return role == call.role and await views.exchange_key_of(0, account) == call.exchange_key


async def _is_seated(
    views: MarketplaceViews, account: str, call: marketplace.Join | marketplace.Reveal
) -> bool:
    """Whether the account has taken a seat, or has kept it."""
    seats = (await views.owners(call.training)).seats
    if isinstance(call, marketplace.Join) or account not in seats:
        return account in seats
    return bool((await views.draw_of(call.training)).revealed >> seats.index(account) & 1)
