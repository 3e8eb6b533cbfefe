"""What an owner's store remembers beyond single trainings: what was joined, the ordered policy, the money."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.codec import pack, unpack
from protocol.owner_policy import OwnerPolicy
from protocol.roles.dispatch import decode_state
from protocol.roles.engine.private import JOINED
from protocol.roles.owner.budget import Counts, Joining, most_numbers
from protocol.roles.owner.state import OwnerState
from services.store import Store

ORDERED_POLICY = "policy:ordered"
_EARLIER_COUNTED = "earlier_trainings_counted"
_COUNTING = frozenset({"initiated", "running", "finished"})


@dataclass(frozen=True, slots=True)
class Payment:
    """A credit for a training (`share` says for what), or a withdrawal (training and share are None)."""

    at: float
    amount: int
    training: int | None = None
    share: str | None = None


class Account(NamedTuple):
    """Credits and withdrawals that the chain has confirmed, oldest first; amounts in wei."""

    credited: list[Payment]
    withdrawn: list[Payment]

    @property
    def earned(self) -> int:
        """All credits together."""
        return sum(payment.amount for payment in self.credited)

    @property
    def paid_out(self) -> int:
        """All withdrawals together."""
        return sum(payment.amount for payment in self.withdrawn)

    @property
    def credit(self) -> int:
        """What the contract holds for this owner, as far as the confirmed events tell."""
        return max(0, self.earned - self.paid_out)


def counts_of(store: Store) -> Counts:
    """How many numbers about each data set its trainings have published, or still may."""
    return Counts.of(store.values(JOINED.prefix).values())


def ordered_policy(store: Store) -> OwnerPolicy | None:
    """The policy that the operator ordered while the daemon ran; None while the configuration's holds."""
    content = store.values(ORDERED_POLICY).get("")
    return None if content is None else unpack(OwnerPolicy, content)


def payments(store: Store, account: str) -> Account:
    """What the store knows of an account's money."""
    credited = [
        Payment(at, int(data["amount"]), int(data["training"]), str(data["share"]))
        for data, at in store.facts_named("Credited")
        if data["account"] == account
    ]
    withdrawn = [
        Payment(at, int(data["amount"]))
        for data, at in store.facts_named("Withdrawn")
        if data["account"] == account
    ]
    return Account(credited, withdrawn)


def count_earlier_trainings(store: Store) -> None:
    """Count what was joined by a version that did not count, once for a store."""
    if store.values(_EARLIER_COUNTED):
        return
    for row in store.instances():
        state = decode_state("data_owner", row.state)
        assert isinstance(state, OwnerState)
        opened, request = state.opened, state.request
        if opened and request and state.data_set and (state.phase in _COUNTING or state.has_worked):
            joining = Joining(buyer=opened.buyer, data_set=state.data_set, numbers=most_numbers(request))
            store.put_value(JOINED.name_of(state.training), pack(joining))
    store.put_value(_EARLIER_COUNTED, b"1")
