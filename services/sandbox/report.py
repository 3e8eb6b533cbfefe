"""What a demo run is measured by: the same training in plaintext, the money, the time, the traffic."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.data_set import DataSet
from protocol.learning import plaintext
from protocol.learning.descent import step_size_of
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData, PlainTraining
from protocol.marketplace import Credited, Opened, RoundRecorded
from protocol.messages import ChainEvent
from protocol.payment import NO_PAY, Pay
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.request_schedule import Method
from protocol.request_sections import DEFAULT_KIND
from protocol.ridge_path import ridges_by_round
from protocol.terms import NATIVE
from protocol.types import FrozenModel, seats_of
from services.chain.contract.views import Owners
from services.records.chain_history import chain_story
from services.records.convergence import Convergence, convergence
from services.records.folds import FoldErrors, fold_errors_of
from services.records.penalties import Penalty, penalties
from services.sandbox.local_market import LocalMarket
from services.sandbox.pooled import owner_data

_STARTED = time.perf_counter()

Role = Literal["trainer", "validator"]


class DemoReport(FrozenModel):
    """The report, field for field as `--report` writes it.

    `rho` is of ADMM alone, which takes no local steps. MSEs are over all validators' rows, errors and weights
    in the columns' own units; a step size of None is the largest that is safe on each owner's rows;
    `mse_final` is the delivered model's. `roles` are the owners' by account, in the order in which the rows
    were dealt to them. With folds roles, and errors by round, are those of the last one.
    """

    kind: str = DEFAULT_KIND
    rows: int
    features: int
    owners: int
    trainers: int
    validators: int
    rounds: int
    local_steps: int
    method: Method = "averaging"
    rho: float | None = None
    step_size: float | None
    key_bits: int
    broker: str
    chain: str
    mse_initial: float
    delivered_round: int
    mse_final: float
    mse_plaintext_same_schedule: float
    mse_pooled_ols: float
    weights_max_abs_error: float
    mse_by_round: list[float]
    convergence: Convergence | None
    penalties: tuple[Penalty, ...] = ()
    folds: FoldErrors | None = None
    roles: dict[str, Role]
    contributions: dict[str, float]
    token: str | None
    deposit_wei: str
    paid_wei: dict[str, str]
    refund_wei: str
    seconds_total: float
    seconds_by_phase: dict[str, float]
    bytes_on_bus: int
    messages_on_bus: int
    model_file: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A market that has finished one training, whose drawn roles are those of its last fold."""

    request: Request
    model: BoughtModel
    events: Sequence[ChainEvent]
    data_sets: dict[str, DataSet]
    market: LocalMarket

    def recorded(self) -> list[RoundRecorded]:
        """Every recorded round, in order."""
        return [item.event for item in self.events if isinstance(item.event, RoundRecorded)]

    def last_fold(self) -> list[RoundRecorded]:
        """The rounds that the model comes of: all of them, or those of the last fold."""
        first = max(one.round for one in self.recorded() if self.request.schedule.begins_fold(one.round))
        return [one for one in self.recorded() if one.round >= first]

    def delivered_round(self) -> int:
        """The round whose model was delivered."""
        return max(event.round for event in self.recorded() if event.record.delivers)

    def training(self) -> int:
        """The contract's number of the training."""
        return next(item.event.training for item in self.events if isinstance(item.event, Opened))

    def weights(self) -> list[float]:
        """The delivered weights, the intercept last."""
        return weights_of(self.model)


def weights_of(model: BoughtModel) -> list[float]:
    """All weights of a model, of each target in turn, the intercept last."""
    each = model.outputs or (model,)
    return [
        weight
        for one in each
        for weight in (*one.weights, *([] if one.intercept is None else [one.intercept]))
    ]


def _errors(request: Request, recorded: Sequence[RoundRecorded]) -> list[float]:
    """In the target's own units, the first model's before those of the rounds."""
    numbers = (recorded[0].record.mse_before, *(event.mse_after for event in recorded))
    return [float(request.error_unit) * number / FIXED_POINT for number in numbers]


async def make_report(outcome: Outcome, *, broker: str, chain: str, model_file: Path | None) -> DemoReport:
    """Compare, count and add up."""
    recorded = outcome.last_fold()
    drawn = await outcome.market.buyer.client.owners(outcome.training())
    trainers, validators = _drawn_data(outcome, drawn)
    plain = same_in_plaintext(outcome.request, trainers, validators, len(recorded))
    weights = np.array(outcome.weights())
    delivered = outcome.delivered_round() - recorded[0].round + 1
    paid, refund = _money(outcome.events)
    schedule = outcome.request.schedule
    unit, errors = float(outcome.request.error_unit), _errors(outcome.request, recorded)
    twin = _delivered_twin(outcome.request, plain, errors, delivered)
    pooled = plaintext.mean_squared_error(validators, plaintext.pooled_least_squares(trainers))
    return DemoReport(
        kind=outcome.request.model.kind,
        rows=sum(one.statistic.rows for one in outcome.data_sets.values()),
        features=len(outcome.request.features),
        owners=len(drawn.seats),
        trainers=len(trainers),
        validators=len(validators),
        rounds=len(outcome.recorded()),
        local_steps=schedule.local_steps,
        method=schedule.method,
        rho=float(schedule.penalty) if schedule.is_admm else None,
        step_size=None if schedule.step_size is None else float(schedule.step_size),
        key_bits=outcome.request.key_bits,
        broker=broker,
        chain=chain,
        mse_initial=errors[0],
        delivered_round=outcome.delivered_round(),
        mse_final=errors[delivered],
        mse_plaintext_same_schedule=unit * plain.metrics[delivered - 1].after,
        mse_pooled_ols=unit * pooled,
        weights_max_abs_error=float(np.abs(weights - twin).max()),
        mse_by_round=errors,
        convergence=convergence(outcome.request, errors, last=recorded[-1].record.last, over=True),
        penalties=penalties(outcome.request, errors, delivered),
        folds=fold_errors_of(outcome.request, chain_story(outcome.market.buyer.store, outcome.training())),
        roles=_roles(outcome, drawn),
        contributions=_contributions(outcome.recorded(), drawn.seats),
        token=None if outcome.market.token == NATIVE else outcome.market.token,
        deposit_wei=str(outcome.request.payment.deposit_wei),
        paid_wei={account: str(amount) for account, amount in paid.items()},
        refund_wei=str(refund),
        seconds_total=seconds_since_start(),
        seconds_by_phase={name: round(spent, 3) for name, spent in outcome.market.meter.seconds.items()},
        bytes_on_bus=sum(party.bus.bytes_published for party in outcome.market.parties),
        messages_on_bus=sum(party.bus.messages_published for party in outcome.market.parties),
        model_file=None if model_file is None else str(model_file),
    )


def same_in_plaintext(
    request: Request, trainers: Sequence[OwnerData], validators: Sequence[OwnerData], rounds: int
) -> PlainTraining:
    """The plain twin on the same rows, roles and schedule."""
    start = np.array([float(weight) for weight in request.start_weights()])
    return plaintext.run(
        trainers,
        validators,
        start,
        step_size=step_size_of(request),
        l2=ridges_by_round(request.model, request.schedule, rounds),
        local_steps=request.schedule.local_steps,
        rounds=rounds,
        penalty=float(request.schedule.penalty) if request.schedule.is_admm else None,
    )


def _delivered_twin(
    request: Request, plain: PlainTraining, errors: Sequence[float], delivered: int
) -> list[float]:
    """What the buyer would hold of a round of the plain twin, with the `errors` that were published."""
    trained = plain.averaging.models[delivered].tolist()
    return weights_of(
        kind_of(request).bought(request, trained, PublishedErrors(errors[0], errors[delivered]))
    )


def seconds_since_start() -> float:
    """Wall time since this process began, its imports included."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError, ValueError, IndexError):  # not Linux: since this module was loaded
        return time.perf_counter() - _STARTED


def _drawn_data(outcome: Outcome, drawn: Owners) -> tuple[list[OwnerData], list[OwnerData]]:
    """(trainers', validators') factors in seat order, as the contract drew them."""
    parties = zip(outcome.market.owners, outcome.data_sets.values(), strict=True)
    held_by = {party.identity.address: data_set for party, data_set in parties}

    def data(mask: int, *, measuring: bool) -> list[OwnerData]:
        drawn_sets = [held_by[drawn.seats[seat]] for seat in seats_of(mask)]
        return [owner_data(outcome.request, one, measuring=measuring) for one in drawn_sets]

    return data(drawn.trainers, measuring=False), data(drawn.validators, measuring=True)


def _roles(outcome: Outcome, drawn: Owners) -> dict[str, Role]:
    """Of every owner that was drawn: one that lost its seat has no role."""
    masks: dict[Role, int] = {"trainer": drawn.trainers, "validator": drawn.validators}
    of_seat = {drawn.seats[seat]: role for role, mask in masks.items() for seat in seats_of(mask)}
    accounts = [party.identity.address for party in outcome.market.owners]
    return {account: of_seat[account] for account in accounts if account in of_seat}


def _contributions(recorded: Sequence[RoundRecorded], seats: Sequence[str]) -> dict[str, float]:
    """Each trainer's part of the contribution pot."""
    totals: Counter[str] = Counter()
    for event in recorded:
        for seat, weight in zip(seats_of(event.record.trainers), event.pay_weights, strict=True):
            totals[seats[seat]] += weight
    whole = totals.total()
    return {account: weight / whole if whole else 0.0 for account, weight in totals.items()}


def _money(events: Sequence[ChainEvent]) -> tuple[dict[str, int], int]:
    """(amount by paid account, the buyer's refund) out of the credits."""
    paid: Counter[str] = Counter()
    refund = 0
    for (account, share), amount in credited(events).items():
        if share == "refund":
            refund += amount
        elif share not in NO_PAY:
            paid[account] += amount
    return paid, refund


def credited(events: Sequence[ChainEvent]) -> Pay:
    """What the contract has credited in these events."""
    pay: Pay = Counter()
    for one in (item.event for item in events if isinstance(item.event, Credited)):
        pay[one.account, one.share] += one.amount
    return pay
