"""Everybody's pay, worked out again from what the chain published; the contract must agree to the wei."""

from collections import Counter
from collections.abc import Sequence

from protocol.marketplace import Credited, Joined, Opened, RolesDrawn, RoundRecorded
from protocol.types import seats_of

_BASIS_POINTS, _ONE = 10_000, 10**18


def recomputed(events: Sequence[object]) -> Counter[tuple[str, str]]:
    """Wei by (account, share) of the one training in these events, which ended after any number of rounds."""
    (opened,) = (one for one in events if isinstance(one, Opened))
    seats = [one.owner for one in events if isinstance(one, Joined)]
    recorded = [one for one in events if isinstance(one, RoundRecorded)]
    terms, deposit = opened.terms, opened.deposit
    pay: Counter[tuple[str, str]] = Counter()
    weights: Counter[str] = Counter()
    for one in recorded:
        rounds = terms.rounds - one.round + 1 if one.record.last else 1
        trainers = [seats[seat] for seat in seats_of(one.record.trainers)]
        validators = [seats[seat] for seat in seats_of(one.record.validators)]
        for members, share, points in (
            (trainers, "participation", terms.participation_bps),
            (validators, "validation", terms.validation_bps),
            ([opened.aggregator], "aggregation", terms.aggregation_bps),
        ):
            whole = deposit * rounds * points // (_BASIS_POINTS * terms.rounds)
            name = "participation" if share == "validation" and terms.folds > 1 else share
            pay.update({(member, name): whole // len(members) for member in members})
        weights.update(dict(zip(trainers, one.pay_weights, strict=True)))
    if not recorded:
        pay.update(_abandonment(opened, seats, events))
    each = terms.rounds // terms.folds
    folds = [recorded[place : place + each] for place in range(0, len(recorded), each)]
    improvement = sum(map(_improvement, folds)) // terms.folds
    pot = deposit * terms.contribution_bps * improvement // (_BASIS_POINTS * _ONE)
    total = sum(weights.values())
    if total:
        pay.update({(member, "contribution"): pot * weight // total for member, weight in weights.items()})
    pay[opened.buyer, "refund"] = deposit - pay.total()
    return +pay


def _improvement(recorded: Sequence[RoundRecorded]) -> int:
    """Of the rounds from one start."""
    first = left = delivered = recorded[0].record.mse_before
    for one in recorded:
        left = left * one.mse_after // one.record.mse_before
        if one.record.delivered_digest == one.record.model_digest:
            delivered = left
    return max(first - delivered, 0) * _ONE // first


def _abandonment(opened: Opened, seats: Sequence[str], events: Sequence[object]) -> Counter[tuple[str, str]]:
    """What everybody with a role gets where roles were drawn and no round was recorded."""
    drawn = [
        seats[seat]
        for one in events
        if isinstance(one, RolesDrawn)
        for seat in seats_of(one.trainers | one.validators)
    ]
    whole = opened.deposit * opened.terms.abandon_bps // _BASIS_POINTS
    return Counter({(owner, "abandonment"): whole // len(drawn) for owner in drawn})


def credited(events: Sequence[object]) -> Counter[tuple[str, str]]:
    """What the contract credited."""
    amounts: Counter[tuple[str, str]] = Counter()
    for one in events:
        if isinstance(one, Credited):
            amounts[one.account, one.share] += one.amount
    return amounts
