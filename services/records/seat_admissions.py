"""Who would join a buyer's trainings that have not started, and what was decided about them."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.roles.buyer.state import CancellableState
from protocol.roles.shared.applications import Application
from services.records.buyer_training import buyer_state
from services.store import Store


@dataclass(frozen=True, slots=True)
class Applicant:
    """An owner that would join a training with the data set of a card; `code` is None while it waits."""

    training: int
    request: str
    owner: str
    card: str
    code: str | None

    @property
    def waits(self) -> bool:
        """Whether a person is to decide."""
        return self.code is None


def applicants(store: Store) -> Iterator[Applicant]:
    """All of them, in the order of the trainings and of their asking."""
    for instance in store.instances():
        state = None if instance.finished else buyer_state(instance)
        if isinstance(state, CancellableState):
            yield from (applicant_of(state, one) for one in state.applications)


def applicant_of(state: CancellableState, application: Application) -> Applicant:
    """What is known of one."""
    card = application.card.hex()
    return Applicant(state.training, state.request.name, application.owner, card, application.code)
