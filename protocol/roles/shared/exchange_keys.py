"""Which owners of a training have an X25519 key that pairwise secrets can be made with."""

from protocol.crypto.exchange import usable_keys
from protocol.roles.engine.context import Context
from protocol.roles.shared.parties import Parties
from protocol.types import Seats


def seats_with_keys(parties: Parties, context: Context) -> Seats:
    """The seats whose registered key is usable and no copy of an earlier seat's, as a mask.

    Everybody works it out from the chain alone, so aggregator and validators agree on it.
    """
    known = {owner: context.exchange_keys[owner] for owner in parties.seats if owner in context.exchange_keys}
    return parties.mask(tuple(usable_keys(known)))
