"""What an owner sees of its trainings, read out of its store and catalogue."""

from dataclasses import dataclass
from functools import cached_property

from protocol.owner_policy import OwnerPolicy
from protocol.payment import PayRange, paid_to, pay_range
from protocol.reason import Reason
from protocol.request import Request
from protocol.roles.owner.budget import Counts, Standing, standing
from protocol.roles.owner.state import OwnerState
from services.console.party import Party
from services.console.presentation.training_record import LISTED, TrainingRecord
from services.data.catalog import Catalog
from services.data.matching import why_not
from services.records.chain_history import pay_of
from services.records.owner_account import counts_of, ordered_policy

_UNDECIDED = ("waiting", "ready")


@dataclass(frozen=True, slots=True)
class Match:
    """One data set beside a request; `reasons` are for this owner alone."""

    data_set: str
    rows: int
    reasons: tuple[Reason, ...]
    standing: Standing

    @property
    def serves(self) -> bool:
        """Whether it could take part."""
        return not self.reasons


@dataclass(frozen=True)
class Training(TrainingRecord[OwnerState]):
    """One training, in the list or on its page, as this owner sees it."""

    role = "data_owner"

    @property
    def request(self) -> Request:
        """What the invitation came with."""
        assert self.state.request is not None
        return self.state.request

    @property
    def buyer(self) -> str:
        """Who pays."""
        assert self.state.opened is not None
        return self.state.opened.buyer

    @property
    def asks(self) -> bool:
        """Whether a person's decision is waited for."""
        return self.row.display_status == "READY"

    @property
    def join_until(self) -> int | None:
        """When a decision must be there, in Unix seconds; None once there is one."""
        return self.state.join_until if self.state.phase in _UNDECIDED else None

    @property
    def drawn(self) -> str | None:
        """The role that the contract drew."""
        story = self.story
        drawn = {"trainer": story.trainers, "validator": story.validators}
        return next((role for role, addresses in drawn.items() if self.party.address in addresses), None)

    @property
    def pay(self) -> PayRange:
        """What it pays at least and at most."""
        return pay_range(self.request)

    @property
    def earned(self) -> int:
        """What the contract has credited to this owner, keeps for it, or would if the training ended now."""
        return paid_to(pay_of(self.request, self.story), self.party.address)

    @cached_property
    def matches(self) -> tuple[Match, ...]:
        """The data sets beside the request while a decision is waited for, those that serve first."""
        if self.state.phase not in _UNDECIDED:
            return ()
        policy, counts = policy_in_force(self.party), counts_of(self.party.store)
        return matches_of(self.request, self.buyer, self.party.owner.catalogue, policy, counts)

    @property
    def serving(self) -> tuple[Match, ...]:
        """The data sets that may be chosen."""
        return tuple(match for match in self.matches if match.serves)


def policy_in_force(party: Party) -> OwnerPolicy:
    """The ordered policy, or the configuration's."""
    return ordered_policy(party.store) or party.owner.configured


def trainings(party: Party, count: int = LISTED) -> list[Training]:
    """Those with an invitation: all that ask for a decision, then the `count` that changed last."""
    every = [Training(party, row) for row in reversed(party.store.instances())]
    asking = [training for training in every if training.asks]
    others = [training for training in every if not training.asks][:count]
    return [training for training in (*asking, *others) if training.state.request is not None]


def training_of(party: Party, key: str) -> Training | None:
    """One training; None where the store has no invitation of that key."""
    training = Training.find(party, key)
    return None if training is None or training.state.request is None else training


def matches_of(
    request: Request, buyer: str, catalogue: Catalog, policy: OwnerPolicy, counts: Counts
) -> tuple[Match, ...]:
    """Every data set beside a request, those that serve first."""
    matches = []
    for name, data_set in catalogue.all().items():
        place = standing(policy.budget, counts, request, buyer, name)
        matches.append(Match(name, data_set.statistic.rows, why_not(request, data_set), place))
    return tuple(sorted(matches, key=lambda match: not match.serves))
