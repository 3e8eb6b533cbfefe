"""How many trainings a data set has taken part in, and how many more it may.

A data set enters a training through its statistic, and every published number is an equation about the
statistics of the owners who take part. Enough equations determine them. So an owner counts the trainings that
it joins with each data set, for each buyer and in total: the numbers are on chain, where anybody can add up
the trainings of all buyers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocol.codec import pack, unpack
from protocol.learning.kinds.registry import kind_of
from protocol.marketplace import validator_count
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.request import Request
from protocol.roles.engine import private
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import PutValue
from protocol.types import Address, FrozenModel, Name


class Joining(FrozenModel):
    """A training that counts: whose, and for which data set."""

    buyer: Address
    data_set: Name


class JoiningCount(FrozenModel):
    """How many trainings of one buyer a data set has taken part in."""

    buyer: Address
    data_set: Name
    trainings: int


class Counts(FrozenModel):
    """All that has been joined."""

    counts: tuple[JoiningCount, ...] = ()

    @classmethod
    def of(cls, joined: Iterable[bytes]) -> "Counts":
        """The counts of the values under `private.JOINED`."""
        trainings = Counter(unpack(Joining, content) for content in joined)
        return cls(
            counts=tuple(
                JoiningCount(buyer=joining.buyer, data_set=joining.data_set, trainings=number)
                for joining, number in trainings.items()
            )
        )

    def data_sets(self) -> set[str]:
        """Every data set that was used, whether it is still there or not."""
        return {count.data_set for count in self.counts}

    def buyers(self, data_set: str) -> set[str]:
        """Whose trainings a data set has taken part in."""
        return {count.buyer for count in self.counts if count.data_set == data_set}

    def of_buyer(self, data_set: str, buyer: str) -> int:
        """Trainings of one buyer."""
        wanted = (data_set, buyer)
        return sum(count.trainings for count in self.counts if (count.data_set, count.buyer) == wanted)

    def in_total(self, data_set: str) -> int:
        """Trainings of all buyers."""
        return sum(count.trainings for count in self.counts if count.data_set == data_set)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is used up of a data set's budget, and the limits, for one buyer and in total."""

    used_by_buyer: int
    limit_per_buyer: int
    used_in_total: int
    limit_in_total: int

    @property
    def is_exhausted(self) -> bool:
        """Whether another training would go beyond a limit."""
        return self.used_by_buyer >= self.limit_per_buyer or self.used_in_total >= self.limit_in_total

    def figures(self) -> dict[str, int]:
        """The figures by name, for the owner's own operator."""
        return {
            "used_by_buyer": self.used_by_buyer,
            "limit_per_buyer": self.limit_per_buyer,
            "used_in_total": self.used_in_total,
            "limit_in_total": self.limit_in_total,
        }


def standing(budget: Budget, counts: Counts, request: Request, buyer: str, data_set: str) -> Standing:
    """Where a data set stands before a training like this one."""
    per_buyer = budget.limit_of(data_set, buyer)
    in_total = budget.limit_of(data_set, None)
    return Standing(
        used_by_buyer=counts.of_buyer(data_set, buyer),
        limit_per_buyer=safe_per_buyer(request) if per_buyer is None else per_buyer,
        used_in_total=counts.in_total(data_set),
        limit_in_total=safe_in_total(request) if in_total is None else in_total,
    )


def safe_in_total(request: Request) -> int:
    """The most trainings like this one whose published numbers are fewer than the owners' statistics hold.

    Never less than one: with it, a first training is always possible.
    """
    return max(1, (unknown_numbers(request) - 1) // published_numbers(request))


def safe_per_buyer(request: Request) -> int:
    """Half of `safe_in_total`, at least one: a buyer is nobody's only buyer, and knows its models besides."""
    return max(1, safe_in_total(request) // 2)


def published_numbers(request: Request) -> int:
    """Numbers that tell about the statistics: two for each trainer and round, the first error, the model.

    Counted for the fewest owners that the request admits; more owners add unknowns in the same measure.
    """
    owners = request.owners.minimum
    trainers = owners - validator_count(owners)
    return 2 * trainers * request.schedule.rounds + 1 + request.parameters


def unknown_numbers(request: Request) -> int:
    """Unknown entries of all owners' statistics."""
    return request.owners.minimum * kind_of(request).statistic_entries(request)


def counts_in(values: Mapping[str, bytes]) -> Counts:
    """The counts among a step's private data; none when nothing was joined yet."""
    content = values.get(private.COUNTS.name)
    return Counts() if content is None else unpack(Counts, content)


def count_training(training: int, buyer: str, data_set: str) -> PutValue:
    """The effect that counts a training, once however often it is repeated."""
    return private.JOINED.put(training, pack(Joining(buyer=buyer, data_set=data_set)))


def policy_of(context: Context) -> OwnerPolicy:
    """The owner's standing policy."""
    return unpack(OwnerPolicy, context.policy) if context.policy else OwnerPolicy()


def uncount_training(training: int) -> PutValue:
    """The effect that takes a training out of the count: nothing that tells about the data has left."""
    return private.JOINED.forget(training)
