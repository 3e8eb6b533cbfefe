"""Which signatures of a round's record are worth sending: the contract is asked before it is paid to look."""

from protocol.marketplace import RecordRound, quorum
from services.chain.contract.views import CheckedSignatures, MarketplaceViews

CHEAP_GAS = 20_000
"""What a signature may cost without being left out where others suffice; an account's key takes 5,000."""


async def worth_sending(views: MarketplaceViews, call: RecordRound) -> RecordRound:
    """The call without signatures that do not count, or that cost more than others which suffice.

    A validator's own code may refuse what its key has signed, or burn gas at the sender's cost. Where too few
    count nothing is left out: the contract refuses that before it costs anything, and perhaps it was a node
    that lags and knew neither seats nor roles yet. Raises like a view.
    """
    if not any(call.validator_signatures):
        return call
    checked = await views.check_signatures(call)
    drawn = (await views.owners(call.record.training)).validators
    needed = quorum(drawn.bit_count())
    if not drawn or sum(checked.signed) < needed:
        return call
    kept = _kept(checked, needed)
    signatures = tuple(
        signature if number in kept else b"" for number, signature in enumerate(call.validator_signatures)
    )
    return call.model_copy(update={"validator_signatures": signatures})


def _kept(checked: CheckedSignatures, needed: int) -> frozenset[int]:
    """All that are valid and cheap; of the others the cheapest, where more are needed."""
    valid = [number for number, signed in enumerate(checked.signed) if signed]
    by_cost = sorted(valid, key=lambda number: checked.gas_used[number])
    cheap = sum(checked.gas_used[number] <= CHEAP_GAS for number in by_cost)
    return frozenset(by_cost[: max(cheap, needed)])
