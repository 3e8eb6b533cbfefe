"""Whether a call's effect is on the chain already, so that a repeated call counts as done."""

from protocol import marketplace
from services.chain.contract.views import MarketplaceViews

_STATUSES = {
    "close": {"drawing", "running", "settled"},
    "draw": {"running", "settled"},
    "settle": {"settled"},
    "cancel": {"cancelled"},
}
"""In which a training is once the call took effect."""


async def already_done(views: MarketplaceViews, account: str, call: marketplace.ContractCall) -> bool:
    """True where `account` would only repeat itself, or where somebody else did what anyone may do."""
    match call:
        case marketplace.Register():
            role = await views.role_of(account)
            return role == call.role and await views.exchange_key_of(0, account) == call.exchange_key
        case marketplace.Open():
            opened = await views.events("Opened", None, account)
            return any(event.terms.request_hash == call.terms.request_hash for event in opened)
        case marketplace.Join():
            return account in (await views.owners(call.training)).seats
        case marketplace.RecordRound():
            recorded = await views.events("RoundRecorded", hex(call.record.training), hex(call.record.round))
            return any(event.record == call.record for event in recorded)
        case marketplace.Withdraw():
            return await views.credit_of(account, call.token) == 0
        case _:
            return await views.status(call.training) in _STATUSES[call.call]
