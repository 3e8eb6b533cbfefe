"""Whether a call's effect is on the chain already, so that a repeated call counts as done."""

from protocol.marketplace import (
    Cancel,
    Close,
    ContractCall,
    Draw,
    Join,
    Open,
    RecordRound,
    Register,
    Settle,
    Withdraw,
)
from services.chain.contract.logs import LogReader
from services.chain.contract.views import MarketplaceViews

_STATUSES = {
    "close": {"drawing", "running", "settled"},
    "draw": {"running", "settled"},
    "settle": {"settled"},
    "cancel": {"cancelled"},
}
"""In which a training is once the call took effect."""


async def already_done(
    views: MarketplaceViews, logs: LogReader, account: str, call: ContractCall, first_block: int
) -> bool:
    """True where `account` would only repeat itself, or where somebody else did what anyone may do.

    `first_block` bounds the search for the events that tell two openings or two records apart.
    """
    match call:
        case Register():
            role = await views.role_of(account)
            return role == call.role and await views.exchange_key_of(0, account) == call.exchange_key
        case Open():
            return await logs.find_opened(call.terms.request_hash, account, first_block) is not None
        case Join():
            return account in (await views.owners(call.training)).seats
        case Close() | Draw() | Settle() | Cancel():
            return await views.status(call.training) in _STATUSES[call.call]
        case RecordRound():
            recorded = await logs.find_recorded(call.record.training, call.record.round, first_block)
            return recorded is not None and recorded.record == call.record
        case Withdraw():
            return await views.credit_of(account) == 0
