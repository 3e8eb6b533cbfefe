"""A round in hand as an aggregator's operator sees it: what is done, who has answered, who has not."""

from dataclasses import dataclass
from typing import assert_never

from protocol.records import Market
from protocol.roles.aggregator.attempts import (
    AgreeingLane,
    AskingLane,
    CheckingLane,
    EvaluationLane,
    MomentsLane,
    QuestioningLane,
    RangingLane,
    RepeatingLane,
    TrainingLane,
)
from protocol.roles.aggregator.lanes import OpeningLane, SigningLane
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.shared.parties import Parties
from services.console.presentation.i18n import gettext_noop as _

BUYER = "buyer"

STEPS = {
    "distributed": _("Training"),
    "moments": _("Multiplying"),
    "asking": _("Multiplying"),
    "repeating": _("Multiplying without a trainer"),
    "checking": _("Measuring and checking"),
    "questioning": _("Looking at a denied test"),
    "ranging": _("Opening the trainers' ranges"),
    "agreeing": _("Hiding the errors"),
    "opening": _("Opening"),
    "signing": _("Signing"),
}
"""By the status of a lane."""


@dataclass(frozen=True, slots=True)
class Work:
    """A round in hand; `waiting` are addresses, or `BUYER`."""

    round: int
    attempt: int | None
    status: str
    answered: tuple[str, ...]
    waiting: tuple[str, ...]

    @property
    def step(self) -> str:
        """What is done with it, to be translated where it is shown."""
        return STEPS[self.status]


def work_of(state: TrainingState, market: Market) -> tuple[Work, ...]:
    """The rounds in hand: the one being measured, and one in training."""
    evaluated, in_training = state.evaluation, state.training_lane
    measured = () if evaluated is None else (_measured(evaluated, state, market),)
    trained = () if in_training is None else (_trained(in_training, state.parties),)
    return measured + trained


def _trained(lane: TrainingLane, parties: Parties) -> Work:
    answered = tuple(update.owner for update in lane.updates)
    waiting = _others(parties.addresses(lane.trainers), answered)
    if isinstance(lane, MomentsLane):
        waiting = (BUYER,)
    return Work(lane.round, None, lane.status, answered, waiting)


def _measured(lane: EvaluationLane, state: TrainingState, market: Market) -> Work:
    validators = state.parties.addresses(lane.validators)
    answered: tuple[str, ...] = validators
    waiting: tuple[str, ...] = (BUYER,)
    match lane:
        case AskingLane() | RepeatingLane():
            answered = ()
        case OpeningLane():
            pass
        case SigningLane():
            answered = tuple(owner for owner, _signature in lane.signatures)
            waiting = _others(validators, answered)
        case QuestioningLane():
            answered = ()
        case RangingLane():
            makers, signed = _checkers(lane, state, market), dict(lane.consents)
            answered = tuple(one for one in makers if one in signed)
            waiting = _others(makers, answered) or (BUYER,)
        case CheckingLane() | AgreeingLane():
            answered, waiting = _checked(lane, validators, _checkers(lane, state, market))
        case _:
            assert_never(lane)
    return Work(lane.trained.round, lane.attempt, lane.status, answered, waiting)


def _checked(
    lane: CheckingLane | AgreeingLane, validators: tuple[str, ...], checkers: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who has answered, and who is waited for: of a member its metric, of a checker its verdict too.

    Later the checkers' shares of the noise are due, then every member's signature of the noisy product.
    """
    if isinstance(lane, CheckingLane):
        judged = _others(checkers, tuple(one.owner for one in lane.verdicts))
        answered = _others(tuple(one.owner for one in lane.metrics), judged)
        return answered, _others(validators, answered)
    signed = tuple(owner for owner, _signature in lane.consents)
    return signed, checkers if lane.product is None else _others(validators, signed)


def _checkers(
    lane: CheckingLane | RangingLane | AgreeingLane, state: TrainingState, market: Market
) -> tuple[str, ...]:
    """The two members that check this attempt."""
    hashed = draw_hash(market, state.training, state.parties)
    return attempt_checkers(state.parties, lane.validators, lane.at, hashed)


def _others(asked: tuple[str, ...], answered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(owner for owner in asked if owner not in answered)
