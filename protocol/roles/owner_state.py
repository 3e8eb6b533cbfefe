"""What a data owner remembers of one training, and the policy by which it may decide without a person."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.marketplace import Opened
from protocol.request import Request
from protocol.roles.machine import Stored
from protocol.roles.training import Link, Parties
from protocol.types import (
    Address,
    AttemptNumber,
    BigInteger,
    Digest,
    FrozenModel,
    Name,
    RoundNumber,
    Seats,
    TrainingId,
)

Phase = Literal["waiting", "ready", "initiated", "running", "finished", "declined", "failed"]


class OwnerPolicy(FrozenModel):
    """A standing decision: which matching trainings to join unasked. Empty lists admit everything.

    `columns` are those a request may ask for, as features or target; one that asks for others needs a person.
    `minimum_pay_wei` is compared with the least fixed pay of the request (see `least_fixed_pay`).
    """

    automatic: bool = False
    buyers: tuple[Address, ...] = ()
    model_kinds: tuple[str, ...] = ()
    columns: tuple[Name, ...] = ()
    data_sets: tuple[Name, ...] = ()
    minimum_pay_wei: Annotated[BigInteger, Field(ge=0)] = 0
    withdraw: bool = True

    def accepts(self, request: Request, buyer: str, data_set: str) -> bool:
        """Whether the policy joins this training with this data set."""
        return (
            self.automatic
            and (not self.buyers or buyer in self.buyers)
            and (not self.model_kinds or request.model.kind in self.model_kinds)
            and (not self.columns or asked_columns(request) <= set(self.columns))
            and (not self.data_sets or data_set in self.data_sets)
            and least_fixed_pay(request) >= self.minimum_pay_wei
        )


def asked_columns(request: Request) -> set[str]:
    """The names of features and target."""
    return {column.name for column in (*request.features, request.target)}


def least_fixed_pay(request: Request) -> int:
    """Wei that an owner gets at least if every round is recorded, whatever role it draws."""
    pay = request.payment
    owners = request.owners.maximum
    trainer = pay.deposit_wei * pay.participation_bps // 10_000 // owners
    validator = pay.deposit_wei * pay.validation_bps // 10_000 // owners
    return min(trainer, validator)


class TrainerAnswer(FrozenModel):
    """The update sent for a round: the same question gets the same bytes."""

    round: RoundNumber
    attempt: AttemptNumber
    start_digest: Digest
    update: Stored


class Evaluation(FrozenModel):
    """A validator's work on one attempt.

    MASKED after the noisy metric, MEASURED after the encrypted one, CHECKED once all metrics are shown.
    """

    status: Literal["masked", "measured", "checked"] = "masked"
    round: RoundNumber
    attempt: AttemptNumber
    trainers: Seats
    validators: Seats
    measure_start: bool
    start_digest: Digest
    update_digests: tuple[Digest, ...]
    refreshed_digest: Digest
    refreshed_model: Stored
    residuals: Stored
    own_values: Digest | None = None
    shown_metrics: Stored | None = None


class OwnerState(FrozenModel):
    """Everything a data owner remembers of one training; its rows stay in its data sets."""

    phase: Phase = "waiting"
    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    n: BigInteger = 0
    join_until: int = 0
    data_set: str | None = None
    rows: int = 0
    mismatches: tuple[str, ...] = ()
    parties: Parties = Parties()
    blinding_seed: bytes = b""
    answer: TrainerAnswer | None = None
    link: Link | None = None
    evaluation: Evaluation | None = None
    last_model: Stored | None = None
    recorded: RoundNumber = 0
    recorded_model: Digest | None = None
    last_recorded: bool = False
    failure: str | None = None
