"""What an owner's store remembers beyond single trainings: what was joined, and the ordered policy."""

from protocol.codec import unpack
from protocol.owner_policy import OwnerPolicy
from protocol.roles.dispatch import decode_state
from protocol.roles.engine.private import JOINED
from protocol.roles.owner.budget import Counts, count_numbers, most_numbers
from protocol.roles.owner.state import OwnerState
from services.store import Store

ORDERED_POLICY = "policy:ordered"
_EARLIER_COUNTED = "earlier_trainings_counted"
_COUNTING = frozenset({"initiated", "running", "finished"})


def counts_of(store: Store) -> Counts:
    """How many numbers about each data set its trainings have published, or still may."""
    return Counts.of(store.values(JOINED.prefix).values())


def ordered_policy(store: Store) -> OwnerPolicy | None:
    """The policy that the operator ordered while the daemon ran; None while the configuration's holds."""
    content = store.values(ORDERED_POLICY).get("")
    return None if content is None else unpack(OwnerPolicy, content)


def count_earlier_trainings(store: Store) -> None:
    """Count what was joined by a version that did not count, once for a store."""
    if store.values(_EARLIER_COUNTED):
        return
    for row in store.instances():
        state = decode_state("data_owner", row.state)
        assert isinstance(state, OwnerState)
        opened, request = state.opened, state.request
        if opened and request and state.data_set and (state.phase in _COUNTING or state.has_worked):
            asked, is_pooled = most_numbers(request), request.inference
            counted = count_numbers(state.training, opened.buyer, state.data_set, asked, is_pooled=is_pooled)
            store.put_value(JOINED.name_of(state.training), counted.content)
    store.put_value(_EARLIER_COUNTED, b"1")
