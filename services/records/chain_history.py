"""A training as the chain tells it: rounds, seats, pay and transactions, out of the store's facts.

All of it is public and the same for every role: each daemon notes it (services/records/chain_facts.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.marketplace import BasisPoints
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.types import seats_of
from services.records.chain_facts import record_key
from services.store import Store

_WHOLE: BasisPoints = 10_000
Pay = Counter[tuple[str, str]]
"""Wei by (account, share)."""


@dataclass(frozen=True, slots=True)
class Round:
    """A recorded round: errors × 1e18, contributions and pay weights by trainer in seat order."""

    number: int
    last: bool
    mse_before: int
    mse_after: int
    trainers: tuple[str, ...]
    validators: tuple[str, ...]
    shapley: tuple[int, ...]
    pay_weights: tuple[int, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Transaction:
    """One event of a training with the transaction that emitted it; `about` are its fields."""

    event: str
    block: int
    transaction: str
    log: int
    at: float
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Partner:
    """One party of a training: its contribution (a share of the trainers' gains) and what it earned."""

    address: str
    role: str
    rounds: int
    contribution: float | None
    pay_wei: int


@dataclass(slots=True)
class ChainStory:
    """Everything confirmed so far."""

    seats: list[str] = field(default_factory=list)
    trainers: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()
    rounds: list[Round] = field(default_factory=list)
    credited: Pay = field(default_factory=Counter)
    settled: dict[str, Any] | None = None
    transactions: list[Transaction] = field(default_factory=list)

    @property
    def improvement(self) -> float | None:
        """The share of the first error that is gone, between 0 and 1, as the contract pays by it."""
        if self.settled is not None:
            return int(self.settled["improvement"]) / FIXED_POINT
        return improvement_fixed_of(self.rounds) / FIXED_POINT if self.rounds else None

    def addresses(self, mask: int) -> tuple[str, ...]:
        """The owners in a mask of seats."""
        return tuple(self.seats[seat] for seat in seats_of(mask) if seat < len(self.seats))


def chain_story(store: Store, training: int | None) -> ChainStory:
    """The story of a training; empty before it is opened."""
    story = ChainStory()
    if training is None:
        return story
    for name, data, at in store.facts(record_key(training)):
        _tell(story, name, data, at)
    return story


def _tell(story: ChainStory, name: str, data: dict[str, Any], at: float) -> None:
    place = {"event", "block", "block_hash", "transaction", "log", "at", "training"}
    about = {key: value for key, value in data.items() if key not in place}
    story.transactions.append(Transaction(name, data["block"], data["transaction"], data["log"], at, about))
    match name:
        case "Joined":
            story.seats.append(data["owner"])
        case "RolesDrawn":
            story.trainers = story.addresses(int(data["trainers"]))
            story.validators = story.addresses(int(data["validators"]))
        case "RoundRecorded":
            story.rounds.append(_round(story, data, at))
        case "Credited":
            story.credited[data["account"], data["share"]] += int(data["amount"])
        case "Settled":
            story.settled = data


def _round(story: ChainStory, data: dict[str, Any], at: float) -> Round:
    return Round(
        number=int(data["round"]),
        last=bool(data["last"]),
        mse_before=int(data["mse_before"]),
        mse_after=int(data["mse_after"]),
        trainers=story.addresses(int(data["trainers"])),
        validators=story.addresses(int(data["validators"])),
        shapley=tuple(map(int, data["shapley"])),
        pay_weights=tuple(map(int, data["pay_weights"])),
        at=at,
    )


def improvement_fixed_of(rounds: Sequence[Round]) -> int:
    """What the rounds gained over the first error (× 1e18), as `Marketplace.sol` rounds it."""
    first = rounds[0].mse_before
    gained = sum(one.mse_before - one.mse_after for one in rounds)
    return min(max(gained, 0) * FIXED_POINT // first, FIXED_POINT) if first else 0


def contributions(rounds: Iterable[Round]) -> dict[str, int]:
    """Each trainer's Shapley values, summed (× 1e18); below zero for one that made the model worse."""
    sums: defaultdict[str, int] = defaultdict(int)
    for one in rounds:
        for trainer, value in zip(one.trainers, one.shapley, strict=True):
            sums[trainer] += value
    return dict(sums)


def earned(request: Request, rounds: Sequence[Round]) -> Pay:
    """What everybody would get if the training were settled now, to the wei, as the contract divides.

    The last round stands for all that were agreed and not needed.
    """
    payment, agreed = request.payment, request.schedule.rounds
    deposit = payment.deposit_wei
    pay: Pay = Counter()
    weights: Counter[str] = Counter()
    for one in rounds:
        count = agreed - one.number + 1 if one.last else 1
        for members, share, points in (
            (one.trainers, "participation", payment.participation_bps),
            (one.validators, "validation", payment.validation_bps),
            ((request.aggregator,), "aggregation", payment.aggregation_bps),
        ):
            whole = deposit * count * points // (_WHOLE * agreed)
            pay.update({(member, share): whole // len(members) for member in members})
        weights.update(dict(zip(one.trainers, one.pay_weights, strict=True)))
    total = weights.total()
    if total:
        improvement = improvement_fixed_of(rounds)
        pot = deposit * payment.contribution_bps * improvement // (_WHOLE * FIXED_POINT)
        pay.update({(member, "contribution"): pot * weight // total for member, weight in weights.items()})
    return +pay


def curve(rounds: Sequence[Round]) -> tuple[tuple[int, int], ...]:
    """(round, error × 1e18): the start, then the error after each round."""
    if not rounds:
        return ()
    return ((0, rounds[0].mse_before), *((one.number, one.mse_after) for one in rounds))


def partners(request: Request, story: ChainStory) -> tuple[Partner, ...]:
    """Trainers, validators and the aggregator, each with what it did and earned."""
    pay: dict[tuple[str, str], Any] = dict(story.credited or earned(request, story.rounds))
    gained = contributions(story.rounds)
    whole = sum(max(value, 0) for value in gained.values())
    found = []
    for role, members in (("trainer", story.trainers), ("validator", story.validators)):
        for address in members:
            rounds = sum(address in (*one.trainers, *one.validators) for one in story.rounds)
            share = gained.get(address, 0) / whole if role == "trainer" and whole else None
            found.append(Partner(address, role, rounds, share, _of(pay, address)))
    if story.seats:
        aggregator = request.aggregator
        found.append(Partner(aggregator, "aggregator", len(story.rounds), None, _of(pay, aggregator)))
    return tuple(found)


def _of(pay: dict[tuple[str, str], int], address: str) -> int:
    return sum(amount for (who, share), amount in pay.items() if who == address and share != "refund")
