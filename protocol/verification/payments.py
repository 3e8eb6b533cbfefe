"""What the chain paid, worked out again from records: contributions, pay weights, every amount."""

from dataclasses import dataclass, replace

from protocol.learning.shapley import contributions_fixed, mse_after_fixed
from protocol.marketplace import Cancelled, Credited, RolesDrawn, RoundRecorded, Settled
from protocol.payment import (
    PaidRound,
    Pay,
    abandoned,
    earned,
    error_left,
    fold_weights,
    mean_improvement,
    pay_weights,
)
from protocol.roles.engine.refusals import require
from protocol.verification.contents import Contents
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining

_LEFT_OVER = "refund"


@dataclass(frozen=True)
class Paying:
    """The rounds so far as pay depends on them; weights follow from the errors `first`, `best` and `left`."""

    rounds: tuple[PaidRound, ...] = ()
    first: int = 0
    best: int = 0
    left: int = 0

    def after(self, event: RoundRecorded, training: VerifiedTraining) -> "Paying":
        """With one more round, whose published contributions are those of its record.

        Raises ProtocolViolation: "wrong_error", "wrong_contributions", or "wrong_pay_weights".
        """
        record, parties = event.record, training.parties
        require(
            event.round == record.round, "round_out_of_order", f"{event.round} with {record.round}'s record"
        )
        after = mse_after_fixed(record.cross, len(record.own))
        require(
            event.mse_after == after, "wrong_error", f"{event.mse_after} after round {event.round}; {after}"
        )
        shapley = contributions_fixed(record.mse_before, record.own, record.cross)
        require(list(event.shapley) == shapley, "wrong_contributions", f"of round {event.round}")
        schedule = training.request.schedule
        begins = schedule.begins_fold(event.round)
        first, best, left = [record.mse_before] * 3 if begins else [self.first, self.best, self.left]
        left = error_left(left, record.mse_before, after)
        weights = pay_weights(best, left, shapley)
        weights = weights if schedule.folds == 1 else fold_weights(weights, first)
        require(list(event.pay_weights) == weights, "wrong_pay_weights", f"of round {event.round}")
        paid = PaidRound(
            number=event.round,
            last=record.last,
            mse_before=record.mse_before,
            mse_after=after,
            trainers=parties.addresses(record.trainers),
            validators=parties.addresses(record.validators),
            pay_weights=tuple(weights),
            delivers=record.delivers,
        )
        return replace(self, rounds=(*self.rounds, paid), first=first, best=min(best, left), left=left)


def require_paid(contents: Contents, training: VerifiedTraining, paying: Paying) -> list[Check]:
    """Check the end of the training and every amount that was credited; raises VerificationFailed.

    An owner's pay is credited when it claims, so not everybody's must be there yet.
    """
    settled, cancelled = contents.of(Settled), contents.of(Cancelled)
    with naming("Settled"):
        ended = len(settled) + len(cancelled)
        require(ended <= 1, "ended_twice", f"{ended} ends")
        require(not (cancelled and paying.rounds), "cancelled_after_round", "recorded rounds are settled")
        for event in settled:
            _require_settled(event, training, paying)
    with naming("Credited"):
        due = _due(contents, training, paying)
        credited = _require_credited(contents, training, due, has_ended=bool(settled or cancelled))
    return [Check(name="settlement", count=ended), Check(name="credits", count=credited)]


def _require_settled(event: Settled, training: VerifiedTraining, paying: Paying) -> None:
    require(bool(paying.rounds), "settled_without_round", "nothing was recorded")
    better = mean_improvement(training.request.schedule, paying.rounds)
    require(event.improvement == better, "wrong_improvement", f"{event.improvement}; {better} follows")
    require(event.paid + event.refund == training.opened.deposit, "wrong_refund", f"refund of {event.refund}")
    # The contract keeps the pot whole until it is claimed: divisions leave each owner less than one unit.
    paid = earned(training.request, paying.rounds).total()
    rest = event.paid - paid
    require(0 <= rest < max(1, len(training.parties.seats)), "wrong_payment", f"{event.paid}; {paid} follows")


def _due(contents: Contents, training: VerifiedTraining, paying: Paying) -> Pay:
    if paying.rounds:
        return earned(training.request, paying.rounds)
    drawn = contents.of(RolesDrawn) and training.parties.taking_part()
    return abandoned(training.request, drawn) if drawn else Pay()


def _require_credited(contents: Contents, training: VerifiedTraining, due: Pay, *, has_ended: bool) -> int:
    """Each share once, to the smallest unit; what is refunded is no more than what is left."""
    given: Pay = Pay()
    for event in contents.of(Credited):
        if event.share in ("bond", "forfeit"):
            continue
        account = event.account, event.share
        require(event.token == training.opened.terms.token, "wrong_token", event.account)
        if event.share != _LEFT_OVER:
            require(account not in given, "credited_twice", f"{event.account}, {event.share}")
            require(event.amount == due[account], "wrong_payment", f"{event.amount}; {due[account]} follows")
        else:
            require(event.account == training.opened.buyer, "wrong_payment", f"refund to {event.account}")
        given[account] += event.amount
    aggregation = training.opened.aggregator, "aggregation"
    if has_ended and due[aggregation]:
        require(aggregation in given, "missing_payment", "the aggregator's")
    _require_refund(contents, training, due, given, has_ended=has_ended)
    return len(given)


def _require_refund(
    contents: Contents, training: VerifiedTraining, due: Pay, given: Pay, *, has_ended: bool
) -> None:
    """At the end what was announced; with the last claim whatever divisions have left, and never more."""
    announced = [
        *(one.refund for one in contents.of(Settled)),
        *(one.refund for one in contents.of(Cancelled)),
    ]
    refunded = given[training.opened.buyer, _LEFT_OVER]
    most = training.opened.deposit - due.total()
    least = announced[0] if has_ended else 0
    require(least <= refunded <= most, "wrong_refund", f"{refunded}; between {least} and {most} follows")
