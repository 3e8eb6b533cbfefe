"""All arithmetic of pay: what a deposit comes to, and for whom.

The deposit is divided by four shares in basis points. Three of them are fixed: each recorded round earns its
part of them, split equally among the round's members. The contribution share is paid as far as the model
improved, split by the trainers' pay weights. Where no round is recorded once roles are drawn, those who have
one get the price of leaving. Every division rounds down where the contract divides
(`Shapley.sol`; `_accrue`, `settle` and `_owedTo` in `Marketplace.sol`), so the figures are its own; what is
left is the buyer's. Owners are credited when they claim, in any order, the same amounts.
Amounts are whole smallest units of what the request pays in (`asset.py`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from protocol.asset import NO_TOKENS
from protocol.errors import MisuseError
from protocol.marketplace import fold_sizes, validator_count
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.request_schedule import Schedule
from protocol.terms import BASIS_POINTS

Pay = Counter[tuple[str, str]]
"""Amounts by (account, share)."""


@dataclass(frozen=True, slots=True)
class PaidRound:
    """What pay depends on in a recorded round: errors × 1e18, members by address, weights by trainer.

    The `last` one stands for all rounds that were agreed and not needed. `delivers` is whether its model is
    the one to deliver if no round follows.
    """

    number: int
    last: bool
    mse_before: int
    mse_after: int
    trainers: tuple[str, ...]
    validators: tuple[str, ...]
    pay_weights: tuple[int, ...]
    delivers: bool = True


class DepositTooLow(MisuseError):  # noqa: N818  the contract's name for it
    """The contract would refuse this deposit (`least_deposit`)."""


@dataclass(frozen=True, slots=True)
class PayRange:
    """What one owner gets for a training of which it does every round: at least, and at most."""

    trainer_least: int
    trainer_most: int
    validator_least: int
    validator_most: int

    @property
    def least(self) -> int:
        """Whatever the role."""
        return min(self.trainer_least, self.validator_least)

    @property
    def most(self) -> int:
        """Whatever the role."""
        return max(self.trainer_most, self.validator_most)


def least_deposit(request: Request) -> int:
    """The contract's floor (`_checkTerms`): below it a round's fixed share could come to nothing."""
    return BASIS_POINTS * request.schedule.rounds * request.owners.maximum


def check_deposit(
    request: Request,
    remedy: str = "raise payment.deposit_wei, or lower schedule.rounds or owners.maximum",
) -> None:
    """Raises DepositTooLow for a deposit that the contract would refuse; `remedy` is for who gave it."""
    deposit, needed = request.payment.deposit_wei, least_deposit(request)
    asset = NO_TOKENS.of(request.payment.token)
    if deposit < needed:
        raise DepositTooLow(
            f"a deposit of {asset.exact(deposit)} is too low for {request.schedule.rounds} rounds of "
            f"{request.owners.maximum} owners: the contract asks for {asset.exact(needed)} at least; "
            f"{remedy}"
        )


def share_of_rounds(request: Request, points: int, rounds: int) -> int:
    """What `rounds` of the agreed rounds earn of a share of `points` basis points, all members together."""
    return request.payment.deposit_wei * rounds * points // (BASIS_POINTS * request.schedule.rounds)


def pay_range(request: Request) -> PayRange:
    """What the shares come to for one owner: with the most owners least, and most with the fewest.

    The least is that of rounds recorded one by one, without a contribution; the most is that of a last round
    that stands for all, for a trainer with the whole contribution share to itself.
    """
    payment, few, many = request.payment, request.owners.minimum, request.owners.maximum
    agreed = request.schedule.rounds

    def least(points: int, members: int) -> int:
        return agreed * (share_of_rounds(request, points, 1) // members)

    def most(points: int, members: int) -> int:
        return share_of_rounds(request, points, agreed) // members

    contribution = most(payment.contribution_bps, 1)
    if request.schedule.folds > 1:
        return _fold_pay_range(request, contribution)
    return PayRange(
        trainer_least=least(payment.participation_bps, many - validator_count(many)),
        trainer_most=most(payment.participation_bps, few - validator_count(few)) + contribution,
        validator_least=least(payment.validation_bps, validator_count(many)),
        validator_most=most(payment.validation_bps, validator_count(few)),
    )


def _fold_pay_range(request: Request, contribution: int) -> PayRange:
    """With folds every owner trains in all but one and validates in that, so there is one range for it.

    The most is more than anybody gets: that of every round in both roles.
    """
    payment, schedule = request.payment, request.schedule
    few, many = request.owners.minimum, request.owners.maximum
    trained = (schedule.folds - 1) * schedule.fold_rounds
    fewest, most = fold_sizes(many, schedule.folds)
    least = trained * (share_of_rounds(request, payment.participation_bps, 1) // (many - fewest))
    least += schedule.fold_rounds * (share_of_rounds(request, payment.validation_bps, 1) // most)
    fewest, most = fold_sizes(few, schedule.folds)
    highest = share_of_rounds(request, payment.participation_bps, schedule.rounds) // (few - most)
    highest += share_of_rounds(request, payment.validation_bps, schedule.rounds) // fewest + contribution
    return PayRange(least, highest, least, highest)


def least_fixed_pay(request: Request) -> int:
    """What an owner gets at least if it does every round, whatever role it draws."""
    return pay_range(request).least


def error_left(left: int, mse_before: int, mse_after: int) -> int:
    """The first error times after/before of every round so far (× 1e18), once this round is added.

    A round's ratio is one set of validators' alone, so that rounds measured on other rows add up; as long as
    the set stays the same this is the error after the round. `mse_before` is above zero.
    """
    return left * mse_after // mse_before


def pay_weights(best: int, left: int, shapley: Sequence[int]) -> list[int]:
    """w_i = (best − left)⁺·φ_i⁺/Σφ⁺ (× 1e18): only new ground is paid, split by contribution.

    `left` is the `error_left` after the round, `best` the lowest before. Paying each round's gain instead
    would let one trainer wreck the model and another be paid for mending it, again and again. Bit for bit as
    `Shapley.sol` computes them.
    """
    gain = max(best - left, 0)
    positive = [max(phi, 0) for phi in shapley]
    total = sum(positive)
    return [gain * phi // total if total else 0 for phi in positive]


def fold_weights(weights: Sequence[int], first: int) -> list[int]:
    """Pay weights of one of several folds: shares (× 1e18) of the fold's first error, which is above zero."""
    return [weight * FIXED_POINT // first for weight in weights]


R = TypeVar("R", bound=PaidRound)


def rounds_of_folds(schedule: Schedule, rounds: Sequence[R]) -> list[list[R]]:
    """The recorded rounds, in order, of every fold that has one; without folds all of them in one list."""
    folds: list[list[R]] = []
    for recorded in rounds:
        if schedule.begins_fold(recorded.number):
            folds.append([])
        folds[-1].append(recorded)
    return folds


def mean_improvement(schedule: Schedule, rounds: Sequence[PaidRound]) -> int:
    """What the deposit is paid by: the mean of all folds' improvements; one without rounds has none."""
    return sum(map(improvement, rounds_of_folds(schedule, rounds))) // schedule.folds


def improvement(rounds: Sequence[PaidRound]) -> int:
    """The share of the first error that the model to deliver has taken off, between 0 and 1 (× 1e18).

    Of the rounds from one start: all of them, or those of a fold.
    """
    if not rounds:
        return 0
    first = left = delivered = rounds[0].mse_before
    for recorded in rounds:
        left = error_left(left, recorded.mse_before, recorded.mse_after)
        delivered = left if recorded.delivers else delivered
    return max(first - delivered, 0) * FIXED_POINT // first


def earned(request: Request, rounds: Sequence[PaidRound]) -> Pay:
    """What everybody would get if the training were settled now, exactly as the contract divides."""
    pay: Pay = Counter()
    for recorded in rounds:
        pay.update(_fixed_pay(request, recorded))
    pay.update(_contribution_pay(request, rounds))
    return +pay


def abandoned(request: Request, drawn: Sequence[str]) -> Pay:
    """What the owners with a role get when a training ends without a recorded round: the price of leaving."""
    whole = request.payment.deposit_wei * request.payment.abandon_bps // BASIS_POINTS
    return +Counter({(owner, "abandonment"): whole // len(drawn) for owner in drawn})


NO_PAY = frozenset({"refund", "bond", "forfeit"})
"""The shares that nobody is paid for: what comes back, and what others have lost."""


def paid_to(pay: Pay, account: str) -> int:
    """What an account gets for its part in a training, without what is no pay."""
    return sum(amount for (paid, share), amount in pay.items() if paid == account and share not in NO_PAY)


def _fixed_pay(request: Request, recorded: PaidRound) -> Pay:
    """What a round earns its members."""
    payment = request.payment
    rounds = request.schedule.rounds - recorded.number + 1 if recorded.last else 1
    pay: Pay = Counter()
    for members, share, points in (
        (recorded.trainers, "participation", payment.participation_bps),
        (recorded.validators, "validation", payment.validation_bps),
        ((request.aggregator,), "aggregation", payment.aggregation_bps),
    ):
        whole = share_of_rounds(request, points, rounds)
        # Over several folds a seat has had both roles: the contract credits it once.
        name = "participation" if share == "validation" and request.schedule.folds > 1 else share
        pay.update({(member, name): whole // len(members) for member in members})
    return pay


def _contribution_pay(request: Request, rounds: Sequence[PaidRound]) -> Pay:
    weights: Counter[str] = Counter()
    for recorded in rounds:
        weights.update(dict(zip(recorded.trainers, recorded.pay_weights, strict=True)))
    total = weights.total()
    if not total:
        return Counter()
    payment = request.payment
    gained = mean_improvement(request.schedule, rounds)
    pot = payment.deposit_wei * payment.contribution_bps * gained // (BASIS_POINTS * FIXED_POINT)
    return Counter({(member, "contribution"): pot * weight // total for member, weight in weights.items()})
