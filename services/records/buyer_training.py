"""A buyer's own trainings in its store, told from those of other roles by their keys."""

from typing import cast

from protocol.roles.buyer.state import BuyerState
from protocol.roles.dispatch import decode_state
from services.records.chain_history import chain_story
from services.records.convergence import Convergence, convergence_of
from services.records.folds import FoldErrors, fold_errors_of
from services.records.penalties import Penalty, penalties_of
from services.store import InstanceRow, Store

ORDER = "order:"
"""How the key of a training begins that this store's party has ordered."""


def buyer_state(instance: InstanceRow) -> BuyerState | None:
    """What the buyer remembers of a training; None in the store of another role."""
    if not instance.key.startswith(ORDER):
        return None
    return cast("BuyerState", decode_state("model_buyer", instance.state))


def buyer_folds(store: Store, instance: InstanceRow) -> FoldErrors | None:
    """The errors of the folds of a training of the buyer's own; None without any that is over."""
    state = buyer_state(instance)
    return None if state is None else fold_errors_of(state.request, chain_story(store, instance.training))


def buyer_convergence(store: Store, instance: InstanceRow) -> Convergence | None:
    """Whether a training of the buyer's own has converged; None before its first round, and for others."""
    state = buyer_state(instance)
    return None if state is None else convergence_of(state.request, chain_story(store, instance.training))


def buyer_penalties(store: Store, instance: InstanceRow) -> tuple[Penalty, ...]:
    """What each λ of a buyer's own training came to; none where its request has one, and for others."""
    state = buyer_state(instance)
    return () if state is None else penalties_of(state.request, chain_story(store, instance.training))
