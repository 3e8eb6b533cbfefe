"""The section of a request that says how long to train, how, and in how many folds."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from protocol.request_sections import ModelKind, Owners
from protocol.request_values import Number, StepSize
from protocol.types import FrozenModel

Method = Literal["averaging", "admm"]
"""How a round makes one model of the trainers'."""

Penalty = Annotated[Number, Field(ge=Decimal("0.0001"), le=100)]
"""ρ of ADMM, beside curvatures of columns in [−1, 1]: a small one trusts each trainer's rows, a large one the
mean."""

DEFAULT_PENALTY = Decimal("0.01")
DEFAULT_LOCAL_STEPS = 500

MOST_FOLDS = 10
"""Into which a training's owners are dealt; the contract takes no more."""


class Schedule(FrozenModel):
    """How long to train: `rounds` averages of `local_steps` gradient steps each, or rounds of ADMM.

    `method: admm` reaches the optimum of all trainers' rows together however unlike they are
    (`learning.consensus`), with `rho` the weight of the consensus, .01 where nothing is said. It takes
    neither gradient steps nor a step size. A document without `method` has the hash of those that know none.

    Each owner takes the largest safe step of its own rows, or `step_size` where that is smaller, and tells
    nobody which. `tolerance` ends the training early when a round improves the error, by a smaller share; a
    round that makes it worse ends nothing, and with 0 none does. `deliver` is which model is delivered and
    paid for: the best of the recorded rounds, or the last.

    With `folds` the owners are dealt into so many parts. Each validates in its part of the rounds and trains
    in all others, and each part starts anew: as many models, and errors on owners that none of theirs has
    seen. No tolerance ends a fold early, and the last fold's model is delivered.
    """

    rounds: Annotated[int, Field(ge=1, le=10_000)] = 5
    folds: Annotated[int, Field(ge=1, le=MOST_FOLDS, exclude_if=lambda folds: folds == 1)] = 1
    local_steps: Annotated[int, Field(ge=1, le=1_000_000)] = DEFAULT_LOCAL_STEPS
    step_size: StepSize = None
    tolerance: Annotated[Number, Field(ge=0, lt=1)] = Decimal("0.001")
    deliver: Literal["best", "last"] = "best"
    method: Annotated[Method, Field(exclude_if=lambda method: method == "averaging")] = "averaging"
    rho: Annotated[Penalty | None, Field(exclude_if=lambda rho: rho is None)] = None

    @property
    def is_admm(self) -> bool:
        """Whether trainers carry duals."""
        return self.method == "admm"

    @property
    def penalty(self) -> Decimal:
        """ρ."""
        return DEFAULT_PENALTY if self.rho is None else self.rho

    @model_validator(mode="after")
    def _of_one_method(self) -> Self:
        if not self.is_admm:
            if self.rho is not None:
                raise ValueError(
                    f"schedule.rho is {self.rho}, which averaging has no use for: leave it out, or say "
                    "method: admm"
                )
            return self
        if self.local_steps != DEFAULT_LOCAL_STEPS or self.step_size is not None:
            raise ValueError(
                "schedule.method is admm, which takes no gradient steps: leave local_steps and step_size "
                "out, or say method: averaging"
            )
        return self

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.rounds % self.folds:
            raise ValueError(
                f"schedule.rounds is {self.rounds}; of {self.folds} folds each has as many rounds: take a "
                f"multiple of {self.folds}, {self.rounds + -self.rounds % self.folds} for one"
            )
        return self

    @property
    def fold_rounds(self) -> int:
        """How many rounds start from one start: all of them, or those of a fold."""
        return self.rounds // self.folds

    def begins_fold(self, round_number: int) -> bool:
        """Whether a round, from 1, is the first of its fold: it starts from the public start."""
        return (round_number - 1) % self.fold_rounds == 0

    def fold_of(self, round_number: int) -> int:
        """The fold of a round, from 0; of any beyond the last one's, the last."""
        return min((round_number - 1) // self.fold_rounds, self.folds - 1)


def unfit_folds(schedule: Schedule, owners: Owners, model: ModelKind, *, inference: bool) -> str | None:
    """Why a request cannot have its folds, with the remedy; None where it can, and where it has none."""
    folds = schedule.folds
    if folds == 1:
        return None
    if owners.minimum < 2 * folds:
        return (
            f"schedule.folds is {folds}: two owners validate in each, so owners.minimum must be "
            f"{2 * folds} or more, and is {owners.minimum}"
        )
    if isinstance(model.l2, tuple):
        return (
            "model.l2 is a path, which one set of validators chooses from; give one l2, or no schedule.folds"
        )
    if schedule.is_admm:
        return (
            "schedule.method is admm, whose trainers carry duals from round to round; give averaging, or no "
            "schedule.folds"
        )
    if inference:
        return "inference: the trainers of several folds are not one pool; leave schedule.folds out"
    return None
