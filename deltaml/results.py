"""What a training came to, as the chain tells it, in the target's own units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.records import FIXED_POINT
from protocol.request import Request
from services.records.chain_history import ChainStory, Round, partners


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """One round: the mean squared error on the validators' rows, and what each trainer contributed to it.

    `contributions` are Shapley values of the improvement, by trainer; below zero for one that made it worse.
    """

    number: int
    error_before: float
    error_after: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Participation:
    """What an owner did and earned: `role` is trainer or validator, `pay` in wei.

    `contribution` is the share of the trainers' gains; None for a validator.
    """

    role: str
    rounds: int
    contribution: float | None
    pay: int


def rounds_of(story: ChainStory, request: Request, names: Mapping[str, str]) -> tuple[TrainingRound, ...]:
    """All recorded rounds; `names` are the owners' by address, which stands for those it lacks."""
    return tuple(_round(recorded, float(request.error_unit), names) for recorded in story.rounds)


def _round(recorded: Round, unit: float, names: Mapping[str, str]) -> TrainingRound:
    shares = zip(recorded.trainers, recorded.shapley, strict=True)
    return TrainingRound(
        number=recorded.number,
        error_before=unit * recorded.mse_before / FIXED_POINT,
        error_after=unit * recorded.mse_after / FIXED_POINT,
        contributions={names.get(address, address): unit * gain / FIXED_POINT for address, gain in shares},
    )


def errors_of(rounds: Sequence[TrainingRound]) -> tuple[float, ...]:
    """The mean squared error before the first round and after each."""
    return (*(made.error_before for made in rounds[:1]), *(made.error_after for made in rounds))


def participations_of(
    story: ChainStory, request: Request, names: Mapping[str, str]
) -> dict[str, Participation]:
    """Each owner's part by name; the aggregator's under `names` as well, if it has one there."""
    return {
        names.get(one.address, one.address): Participation(one.role, one.rounds, one.contribution, one.pay)
        for one in partners(request, story)
    }
