"""A training as the chain tells it: rounds, seats, pay and transactions, out of the store's facts.

All of it is public and the same for every role: each daemon notes it (services/records/chain_facts.py).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from protocol.payment import (
    NO_PAY,
    PaidRound,
    Pay,
    abandoned,
    earned,
    mean_improvement,
    paid_to,
    rounds_of_folds,
)
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.terms import NATIVE, Token
from protocol.types import seats_of
from services.records.chain_facts import record_key
from services.store import Store

_PLACE = frozenset({"event", "block", "block_hash", "transaction", "log", "at", "training"})
"""What a fact says of where its event stands; the rest is what the event is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(PaidRound):
    """A recorded round, with the contributions (× 1e18) by trainer in seat order and when it was recorded."""

    shapley: tuple[int, ...]
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
    pay: int


@dataclass(slots=True)
class ChainStory:
    """Everything confirmed so far. `request_hash` is what the deposit was paid for, of document and key."""

    request_hash: str | None = None
    token: Token = NATIVE
    seats: list[str] = field(default_factory=list)
    trainers: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()
    rounds: list[Round] = field(default_factory=list)
    credited: Pay = field(default_factory=Counter)
    settled: dict[str, Any] | None = None
    cancelled: bool = False
    transactions: list[Transaction] = field(default_factory=list)

    @property
    def delivered_round(self) -> int:
        """The round whose model is delivered if no other follows; 0 before the first."""
        return max((recorded.number for recorded in self.rounds if recorded.delivers), default=0)

    def improvement(self, request: Request) -> float | None:
        """The share of the first error that is taken off, as the contract pays by it: of folds the mean."""
        if self.settled is not None:
            return int(self.settled["improvement"]) / FIXED_POINT
        return mean_improvement(request.schedule, self.rounds) / FIXED_POINT if self.rounds else None

    def last_fold(self, request: Request) -> list[Round]:
        """The rounds that the model to be delivered comes of: all of them, or those of the last fold."""
        folds = rounds_of_folds(request.schedule, self.rounds)
        return folds[-1] if folds else []

    def addresses(self, mask: int) -> tuple[str, ...]:
        """The owners in a mask of seats."""
        return tuple(self.seats[seat] for seat in seats_of(mask) if seat < len(self.seats))


def chain_story(store: Store, training: int | None) -> ChainStory:
    """The story of a training; empty before it is opened."""
    story = ChainStory()
    for name, data, at in [] if training is None else store.facts(record_key(training)):
        _tell(story, name, data, at)
    return story


def _tell(story: ChainStory, name: str, data: dict[str, Any], at: float) -> None:
    about = {key: value for key, value in data.items() if key not in _PLACE}
    story.transactions.append(Transaction(name, data["block"], data["transaction"], data["log"], at, about))
    match name:
        case "Opened":
            story.request_hash = data.get("request_hash")  # earlier versions did not note it
            story.token = data.get("token", NATIVE)
        case "Joined":
            story.seats.append(data["owner"])
        case "RolesDrawn":
            _tell_roles(story, int(data["trainers"]), int(data["validators"]))
        case "RoundRecorded":
            story.rounds.append(_round(story, data, at))
        case "Credited":
            story.credited[data["account"], data["share"]] += int(data["amount"])
        case "Settled":
            story.settled = data
        case "Cancelled":
            story.cancelled = True


def _tell_roles(story: ChainStory, trainers: int, validators: int) -> None:
    """Over several folds who has trained in any is a trainer, who has only validated yet a validator."""
    training = {*story.trainers, *story.addresses(trainers)}
    validating = {*story.validators, *story.addresses(validators)} - training
    story.trainers = tuple(owner for owner in story.seats if owner in training)
    story.validators = tuple(owner for owner in story.seats if owner in validating)


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
        delivers=data.get("delivered_digest") == data.get("model_digest"),  # none noted by earlier versions
        at=at,
    )


def pay_of(request: Request, story: ChainStory) -> Pay:
    """What everybody gets by what is on the chain so far: credited, to be claimed, or due at the end."""
    drawn = story.trainers + story.validators
    due = abandoned(request, drawn) if story.cancelled and drawn else earned(request, story.rounds)
    paid = {account for account, share in story.credited if share not in NO_PAY}  # all of it at once
    return Counter({key: due[key] for key in due if key[0] not in paid} | story.credited)


def contributions(rounds: Iterable[Round]) -> dict[str, int]:
    """Each trainer's Shapley values, summed (× 1e18); below zero for one that made the model worse."""
    sums: Counter[str] = Counter()
    for recorded in rounds:
        sums.update(dict(zip(recorded.trainers, recorded.shapley, strict=True)))
    return sums


def curve(story: ChainStory, request: Request | None) -> tuple[tuple[int, int], ...]:
    """(round, error × 1e18) in the target's own units squared: the start, then the error after each round.

    With folds of the last one, whose start is that of the round before its first.
    """
    rounds = [] if request is None else story.last_fold(request)
    if not rounds or request is None:
        return ()
    start = rounds[0].number - 1, rounds[0].mse_before
    errors = (start, *((recorded.number, recorded.mse_after) for recorded in rounds))
    return tuple((number, round(error * request.error_unit)) for number, error in errors)


def partners(request: Request, story: ChainStory) -> tuple[Partner, ...]:
    """Trainers, validators and the aggregator, each with what it did and earned."""
    pay = pay_of(request, story)
    gained = contributions(story.rounds)
    whole = sum(max(value, 0) for value in gained.values())
    owners = [(address, "trainer") for address in story.trainers]
    owners += [(address, "validator") for address in story.validators]
    members = [
        Partner(
            address=address,
            role=role,
            rounds=sum(address in (*recorded.trainers, *recorded.validators) for recorded in story.rounds),
            contribution=gained.get(address, 0) / whole if role == "trainer" and whole else None,
            pay=paid_to(pay, address),
        )
        for address, role in owners
    ]
    if story.seats:
        aggregator = request.aggregator
        rounds = len(story.rounds)
        members.append(Partner(aggregator, "aggregator", rounds, None, paid_to(pay, aggregator)))
    return tuple(members)
