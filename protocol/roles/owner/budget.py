"""How many numbers that tell about a data set have been published, and how many more may be.

A data set enters a training through its statistic, and every published number is an equation about the
statistics of the owners who take part. Enough equations determine them. So an owner counts, for each data set
over its whole life, the numbers that its trainings publish, for each buyer and in total: they are on chain,
where anybody can put the trainings of all buyers together. What a training may publish at most is reserved
when it is joined, and what it did not publish is given back when it ends.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from protocol.codec import pack, unpack
from protocol.inference_terms import opened_entries
from protocol.marketplace import fold_sizes, quorum
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.request import Request
from protocol.roles.engine import private
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import PutValue
from protocol.roles.engine.state import replace
from protocol.roles.owner.default_budget import safe_in_total, safe_per_buyer
from protocol.roles.owner.state import JoinedState, RunningState
from protocol.types import Address, FrozenModel, Name, Seats

JOIN_NUMBERS = 1
"""What a training counts at least for which roles were drawn: all who take part are told the row count."""

_UNCOUNTED_NUMBERS = 100
"""Assumed of a training that was joined before numbers were counted."""


class Joining(FrozenModel):
    """A training that counts: whose, for which data set, and the numbers that it published or still may.

    `pooled` is 1 where the data set's information matrix is in a sum for standard errors, or may still be.
    """

    buyer: Address
    data_set: Name
    numbers: Annotated[int, Field(ge=0)] = _UNCOUNTED_NUMBERS
    pooled: Annotated[int, Field(ge=0, le=1)] = 0


class JoiningCount(FrozenModel):
    """How many numbers about a data set one buyer's trainings have published or may, in how many sums."""

    buyer: Address
    data_set: Name
    numbers: int
    pooled: int = 0


class Counts(FrozenModel):
    """All that has been joined."""

    counts: tuple[JoiningCount, ...] = ()

    @classmethod
    def of(cls, joined: Iterable[bytes]) -> "Counts":
        """The counts of the values under `private.JOINED`."""
        numbers: Counter[tuple[str, str]] = Counter()
        pooled: Counter[tuple[str, str]] = Counter()
        for content in joined:
            joining = unpack(Joining, content)
            numbers[joining.buyer, joining.data_set] += joining.numbers
            pooled[joining.buyer, joining.data_set] += joining.pooled
        return cls(
            counts=tuple(
                JoiningCount(buyer=buyer, data_set=data_set, numbers=number, pooled=pooled[buyer, data_set])
                for (buyer, data_set), number in numbers.items()
            )
        )

    def data_sets(self) -> set[str]:
        """Every data set that was used, whether it is still there or not."""
        return {count.data_set for count in self.counts}

    def buyers(self, data_set: str) -> set[str]:
        """Whose trainings a data set has taken part in."""
        return {count.buyer for count in self.counts if count.data_set == data_set}

    def of_buyer(self, data_set: str, buyer: str) -> int:
        """Numbers of one buyer's trainings."""
        wanted = (data_set, buyer)
        return sum(count.numbers for count in self.counts if (count.data_set, count.buyer) == wanted)

    def in_total(self, data_set: str) -> int:
        """Numbers of all buyers' trainings."""
        return sum(count.numbers for count in self.counts if count.data_set == data_set)

    def pooled(self, data_set: str) -> int:
        """In how many sums for standard errors its information is, for whichever buyers."""
        return sum(count.pooled for count in self.counts if count.data_set == data_set)


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a data set's budget is asked for and used up, and the limits, for one buyer and in total.

    `pooled_before` counts the sums for standard errors that hold its information already, where the request
    asks for another one and no total of the owner's own says how much may be out: of two sums whose trainers
    differ by one the difference is that one's matrix, and buyers may share theirs.
    """

    asked: int
    used_by_buyer: int
    limit_per_buyer: int
    used_in_total: int
    limit_in_total: int
    pooled_before: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the training may publish more than a limit leaves, or a second sum."""
        return (
            self.used_by_buyer + self.asked > self.limit_per_buyer
            or self.used_in_total + self.asked > self.limit_in_total
            or self.pooled_before > 0
        )

    def figures(self) -> dict[str, int]:
        """The figures by name, for the owner's own operator."""
        return {
            "asked": self.asked,
            "used_by_buyer": self.used_by_buyer,
            "limit_per_buyer": self.limit_per_buyer,
            "used_in_total": self.used_in_total,
            "limit_in_total": self.limit_in_total,
            "pooled_before": self.pooled_before,
        }


def standing(budget: Budget, counts: Counts, request: Request, buyer: str, data_set: str) -> Standing:
    """Where a data set stands before a training like this one."""
    per_buyer = budget.limit_of(data_set, buyer)
    in_total = budget.limit_of(data_set, None)
    return Standing(
        asked=most_numbers(request),
        used_by_buyer=counts.of_buyer(data_set, buyer),
        limit_per_buyer=safe_per_buyer(request) if per_buyer is None else per_buyer,
        used_in_total=counts.in_total(data_set),
        limit_in_total=safe_in_total(request) if in_total is None else in_total,
        pooled_before=counts.pooled(data_set) if request.inference and in_total is None else 0,
    )


def most_numbers(request: Request) -> int:
    """What a training may publish at most: with all the owners that the request admits, to its last round."""
    owners, rounds = request.owners.maximum, request.schedule.rounds
    fewest, most = fold_sizes(owners, request.schedule.folds)
    numbers = published_numbers(request, owners - fewest, rounds, starts_of_folds(request, most))
    # With each validator's part of one error the training ends, in whatever round.
    return numbers + most + inference_numbers(request)


def most_start_errors(validators: int, rounds: int) -> int:
    """How often at most v₀ is measured: in the first round, and in each other whose validators have changed.

    More than half of the drawn ones measure a round (`quorum`): two are always the same two.
    """
    return rounds if quorum(validators) < validators else min(rounds, 1)


def starts_of_folds(request: Request, validators: int) -> int:
    """The same of all folds, each of which has a first round; `validators` are the most of one."""
    return request.schedule.folds * most_start_errors(validators, request.schedule.fold_rounds)


def published_numbers(request: Request, trainers: int, rounds: int, starts: int) -> int:
    """Numbers about the statistics: the row count, two for each trainer and round, `starts` v₀, weights."""
    return JOIN_NUMBERS + 2 * trainers * rounds + starts + request.parameters


def inference_numbers(request: Request) -> int:
    """What standard errors disclose beside: half of the pooled information matrix, which is symmetric."""
    return opened_entries(request.estimated) if request.inference else 0


def counts_in(values: Mapping[str, bytes]) -> Counts:
    """The counts among a step's private data; none when nothing was joined yet."""
    content = values.get(private.COUNTS.name)
    return Counts() if content is None else unpack(Counts, content)


def count_numbers(
    training: int, buyer: str, data_set: str, numbers: int, *, is_pooled: bool = False
) -> PutValue:
    """The effect that counts a training's numbers: once, however often it is repeated; the last holds."""
    joining = Joining(buyer=buyer, data_set=data_set, numbers=numbers, pooled=int(is_pooled))
    return private.JOINED.put(training, pack(joining))


def policy_of(context: Context) -> OwnerPolicy:
    """The owner's standing policy."""
    return unpack(OwnerPolicy, context.policy) if context.policy else OwnerPolicy()


def reserve(state: JoinedState) -> PutValue:
    """The effect that counts all that a training may publish, from before it is joined on."""
    asked, is_pooled = most_numbers(state.request), state.request.inference
    return count_numbers(state.training, state.opened.buyer, state.data_set, asked, is_pooled=is_pooled)


def give_back(state: JoinedState, *, shared: bool = False) -> PutValue:
    """The effect that counts what an ended training can have published in place of what was reserved.

    With `shared` that is the pooled information as well, to which this owner has given its own.

    Before the roles are drawn nothing is: if it counted, whoever opens trainings and cancels them, for gas
    alone, would use budgets up for all other buyers.
    """
    if not isinstance(state, RunningState):
        return private.JOINED.forget(state.training)
    numbers = JOIN_NUMBERS
    if state.has_worked:
        rounds = _opened_rounds(state)
        trainers, starts = _most_trainers(state), _start_errors(state, rounds)
        numbers = published_numbers(state.request, trainers, rounds, starts)
        numbers += _of_repetitions(state, rounds) + _of_parts(state)
    numbers += inference_numbers(state.request) if shared else 0
    return count_numbers(state.training, state.opened.buyer, state.data_set, numbers, is_pooled=shared)


def _most_trainers(state: RunningState) -> int:
    """Of any round: the drawn trainers, or with folds all owners but the smallest fold."""
    drawn, folds = state.parties.drawn.bit_count(), state.request.schedule.folds
    return state.parties.trainers.bit_count() if folds == 1 else drawn - fold_sizes(drawn, folds)[0]


def _opened_rounds(state: RunningState) -> int:
    """How many rounds can have been opened.

    What was measured may have been opened unrecorded: buyer and aggregator have then seen the numbers of one
    round more than the chain, unless that one was the last, and of all that this owner worked on, since an
    aggregator can go on without recording any.
    """
    if state.last_recorded:
        return state.recorded
    trained = state.answer.round if state.answer is not None else 0
    measured = state.link.round + int(state.is_measuring) if state.link is not None else 0
    return min(max(state.recorded + 1, trained, measured), state.request.schedule.rounds)


def _of_repetitions(state: RunningState, rounds: int) -> int:
    """How many numbers rounds that were repeated can have shown the buyer besides, as far as the chain tells.

    Each repetition is without a trainer that is in no later record, and shows at most a number for each drawn
    one: no more than what was reserved (`rounds.implausible.is_affordable`).
    """
    drawn = _most_trainers(state)
    # The last fold's record does not tell who was left out of an earlier one.
    is_told = state.last_recorded and state.trained_by and state.request.schedule.folds == 1
    fewest = state.trained_by.bit_count() if is_told else 2
    repetitions = drawn - fewest
    left = 2 * drawn * (state.request.schedule.rounds - rounds)
    return max(0, min(repetitions * drawn, left))


def _of_parts(state: RunningState) -> int:
    """How many members' parts of an error can have been opened: with them a training ends unrecorded.

    Whatever the aggregator says that it ended with: those that are no checkers see nothing of an opening.
    """
    return 0 if state.last_recorded else state.parties.validators.bit_count()


def _start_errors(state: RunningState, rounds: int) -> int:
    """How often v₀ can have been opened: as the records show, and in every round that is not recorded."""
    folds, drawn = state.request.schedule.folds, state.parties.drawn.bit_count()
    most = most_start_errors(state.parties.validators.bit_count(), rounds)
    most = most if folds == 1 else starts_of_folds(state.request, fold_sizes(drawn, folds)[1])
    return min(most, state.start_errors + rounds - state.recorded)


def with_start_error(state: RunningState, validators: Seats) -> RunningState:
    """With v₀ counted where a recorded round has measured it: its validators are not those of the last one.

    Earlier versions noted no validators: of their rounds each counts.
    """
    before = state.start_errors if state.measured_by else state.recorded
    changed = validators != state.measured_by
    return replace(state, start_errors=before + int(changed), measured_by=validators)
