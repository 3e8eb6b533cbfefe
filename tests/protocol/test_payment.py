"""What a deposit comes to: within it, as the contract divides it, and within the range told beforehand."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.marketplace import Joined, MarketplaceEvent, Opened, RoundRecorded, validator_count
from protocol.payment import (
    DepositTooLow,
    PaidRound,
    check_deposit,
    earned,
    error_left,
    improvement,
    least_deposit,
    least_fixed_pay,
    pay_range,
    pay_weights,
)
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.types import mask_of, seats_of
from tests.support.deployment.documents import KEY_ID, RECORD, any_request
from tests.support.roles.pay import credited, recomputed
from tests.support.roles.pure_ledger import PureLedger
from tests.support.seats import seat_taken

BUYER = "0x" + "b0" * 20
ERRORS = st.integers(1, (1 << 100) - 1)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any shares, rounds and owners; a deposit at the contract's floor or above it."""
    rounds = draw(st.integers(1, 30))
    fewest, most = sorted(draw(st.tuples(st.integers(4, 40), st.integers(4, 40))))
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=3, max_size=3)))
    edges = zip([0, *cuts], [*cuts, 10_000], strict=True)
    names = ("contribution_bps", "participation_bps", "validation_bps", "aggregation_bps")
    shares = {name: high - low for name, (low, high) in zip(names, edges, strict=True)}
    deposit = draw(st.integers(10_000 * rounds * most, (1 << 128) - 1))
    return any_request(
        schedule={"rounds": rounds, "step_size": 1},
        owners={"minimum": fewest, "maximum": most},
        payment={"deposit_wei": deposit, **shares},
    )


def seats_drawn(request: Request, owners: int) -> tuple[list[str], int]:
    """(addresses in seat order, how many of them train: the first)."""
    return [f"0x{seat:040x}" for seat in range(1, owners + 1)], owners - validator_count(owners)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Request, list[MarketplaceEvent], list[PaidRound]]:
    """A request, its events on the chain and its rounds: fewer than agreed, or the last one early."""
    request = draw(requests())
    owners = draw(st.integers(request.owners.minimum, request.owners.maximum))
    seats, trainers = seats_drawn(request, owners)
    count = draw(st.integers(1, request.schedule.rounds))
    errors = draw(st.lists(ERRORS, min_size=count + 1, max_size=count + 1))
    rounds = []
    for number in range(1, count + 1):
        present = draw(st.integers(2, trainers))
        rounds.append(
            PaidRound(
                number=number,
                last=number == count and draw(st.booleans()),
                mse_before=errors[number - 1],
                mse_after=errors[number],
                trainers=tuple(seats[:present]),
                validators=tuple(seats[trainers : trainers + draw(st.integers(2, owners - trainers))]),
                pay_weights=tuple(draw(st.lists(ERRORS | st.just(0), min_size=present, max_size=present))),
            )
        )
    return request, events_of(request, seats, rounds), rounds


def events_of(request: Request, seats: list[str], rounds: list[PaidRound]) -> list[MarketplaceEvent]:
    opened = Opened(
        training=1,
        buyer=BUYER,
        aggregator=request.aggregator,
        deposit=request.payment.deposit_wei,
        terms=request.terms(KEY_ID),
    )
    joined = [seat_taken(training=1, owner=owner, seat=seat) for seat, owner in enumerate(seats)]
    return [opened, *joined, *(recorded_event(seats, paid) for paid in rounds)]


def recorded_event(seats: list[str], paid: PaidRound) -> RoundRecorded:
    record = RECORD.model_copy(
        update={
            "round": paid.number,
            "last": paid.last,
            "trainers": mask_of([seats.index(owner) for owner in paid.trainers]),
            "validators": mask_of([seats.index(owner) for owner in paid.validators]),
            "mse_before": paid.mse_before,
        }
    )
    assert len(seats_of(record.trainers)) == len(paid.pay_weights)
    return RoundRecorded(
        training=1,
        round=paid.number,
        record=record,
        mse_after=paid.mse_after,
        shapley=paid.pay_weights,
        pay_weights=paid.pay_weights,
    )


@given(stories())
def test_pay_is_the_contracts_and_never_above_the_deposit(
    story: tuple[Request, list[MarketplaceEvent], list[PaidRound]],
) -> None:
    request, events, rounds = story
    pay = earned(request, rounds)
    assert pay.total() <= request.payment.deposit_wei
    assert all(amount > 0 for amount in pay.values())
    expected = recomputed(events)
    del expected[BUYER, "refund"]
    assert pay == expected


@given(stories(), st.sampled_from(["as drawn", "nobody", "one"]), st.randoms(use_true_random=False))
def test_whoever_claims_when_the_whole_deposit_is_credited_and_no_more(
    story: tuple[Request, list[MarketplaceEvent], list[PaidRound]], contributing: str, chance: Random
) -> None:
    """Also where nobody has contributed anything, or one trainer alone; roundings are the buyer's."""
    request, events, _rounds = story
    opened = next(one for one in events if isinstance(one, Opened))
    seats = [one.owner for one in events if isinstance(one, Joined)]
    recorded = [_weighing(one, contributing) for one in events if isinstance(one, RoundRecorded)]
    ledger = PureLedger(opened)
    for one in recorded:
        ledger.accrue(one)
    _, trainers = seats_drawn(request, len(seats))
    ledger.settle(seats, mask_of(list(range(trainers, len(seats)))))
    for owner in chance.sample(seats, len(seats)):
        ledger.claim(owner)
        assert ledger.total == opened.deposit
        assert not ledger.claim(owner)
    assert ledger.escrow == 0
    others = [one for one in events if not isinstance(one, RoundRecorded)]
    assert credited(ledger.credited) == recomputed([*others, *recorded])


def _weighing(event: RoundRecorded, contributing: str) -> RoundRecorded:
    """The round with the weights as drawn, with none, or with that of its first trainer alone."""
    if contributing == "as drawn":
        return event
    kept = event.pay_weights[:1] if contributing == "one" else (0,)
    weights = (*kept, *(0 for _ in event.pay_weights[1:]))
    return event.model_copy(update={"shapley": weights, "pay_weights": weights})


@given(requests(), st.data(), st.booleans())
def test_whoever_does_every_round_is_paid_within_the_range(
    request: Request, data: st.DataObject, early: bool
) -> None:
    owners = data.draw(st.integers(request.owners.minimum, request.owners.maximum))
    seats, trainers = seats_drawn(request, owners)
    agreed = request.schedule.rounds
    rounds = [
        PaidRound(
            number=number,
            last=number == (1 if early else agreed),
            mse_before=FIXED_POINT,
            mse_after=FIXED_POINT if number < agreed and not early else 0,
            trainers=tuple(seats[:trainers]),
            validators=tuple(seats[trainers:]),
            pay_weights=(1, *(0,) * (trainers - 1)),
        )
        for number in range(1, 2 if early else agreed + 1)
    ]
    pay, bounds = earned(request, rounds), pay_range(request)
    for owner in seats[:trainers]:
        in_all = pay[owner, "participation"] + pay[owner, "contribution"]
        assert bounds.trainer_least <= in_all <= bounds.trainer_most
    for owner in seats[trainers:]:
        assert bounds.validator_least <= pay[owner, "validation"] <= bounds.validator_most
    assert least_fixed_pay(request) == min(bounds.trainer_least, bounds.validator_least)


def test_pay_is_the_least_and_the_most_of_both_roles() -> None:
    pays = pay_range(any_request(owners={"minimum": 4, "maximum": 10}, payment={"deposit_wei": 10**18}))
    # 10 owners: 3 validate and 7 train; 4 owners: 2 and 2. Shares of 5, 20 and 65 %, in 20 rounds.
    assert pays.trainer_least == 20 * (25 * 10**14 // 7)
    assert pays.trainer_most == 5 * 10**16 // 2 + 65 * 10**16
    assert pays.validator_least == 20 * (10**16 // 3)
    assert pays.validator_most == 10**17
    assert (pays.least, pays.most) == (pays.trainer_least, pays.trainer_most)


@pytest.mark.parametrize("owners", [5, 10])
def test_the_least_is_what_the_most_owners_get(owners: int) -> None:
    """Ten owners: seven train, three validate; five: three and two."""
    request = any_request(owners={"minimum": 4, "maximum": owners}, schedule={"rounds": 1, "step_size": 1})
    trainers = owners - validator_count(owners)
    seats = [f"0x{seat:040x}" for seat in range(1, owners + 1)]
    only = PaidRound(
        number=1,
        last=True,
        mse_before=1,
        mse_after=1,
        trainers=tuple(seats[:trainers]),
        validators=tuple(seats[trainers:]),
        pay_weights=(0,) * trainers,
    )
    pay = earned(request, [only])
    assert least_fixed_pay(request) == min(pay[owner, share] for owner, share in pay if owner in seats)


@given(requests())
def test_at_the_contracts_floor_no_share_of_a_round_is_nothing(request: Request) -> None:
    floor = least_deposit(request)
    assert floor == 10_000 * request.schedule.rounds * request.owners.maximum
    payment = request.payment.model_copy(update={"deposit_wei": floor})
    least = pay_range(request.model_copy(update={"payment": payment}))
    assert least.trainer_least > 0 or not payment.participation_bps
    assert least.validator_least > 0 or not payment.validation_bps


def test_a_deposit_below_the_floor_is_told_with_what_is_needed() -> None:
    request = any_request(payment={"deposit_wei": 10_000 * 20 * 64 - 1})
    with pytest.raises(DepositTooLow) as told:
        check_deposit(request)
    assert str(told.value) == (
        "a deposit of 12799999 wei is too low for 20 rounds of 64 owners: "
        "the contract asks for 12800000 wei at least; "
        "raise payment.deposit_wei, or lower schedule.rounds or owners.maximum"
    )
    check_deposit(any_request(payment={"deposit_wei": 12_800_000}))


@given(st.integers(0, 1 << 100), ERRORS, st.lists(st.integers(-(10**24), 10**24), min_size=2, max_size=9))
def test_pay_weights_share_out_new_ground_and_no_more(best: int, after: int, shapley: list[int]) -> None:
    weights = pay_weights(best, after, shapley)
    gain = max(best - after, 0)
    positive = sum(max(phi, 0) for phi in shapley)
    assert gain - len(shapley) < sum(weights) <= gain or not positive
    for weight, phi in zip(weights, shapley, strict=True):
        assert weight >= 0
        assert weight == (int(Fraction(gain * phi, positive)) if phi > 0 else 0)


def test_wrecking_and_mending_is_not_paid_twice() -> None:
    best, paid = 100, 0
    for after in (60, 90, 60, 90, 60, 50):
        paid += sum(pay_weights(best, after, [1, 1]))
        best = min(best, after)
    assert paid == 50


def round_with(before: int, after: int) -> PaidRound:
    return PaidRound(1, False, before, after, trainers=(), validators=(), pay_weights=())


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([100, 75, 50], FIXED_POINT // 2),
        ([100, 50, 110], 0),
        ([100, 40, 0], FIXED_POINT),
        ([], 0),
    ],
)
def test_improvement_is_relative_and_never_below_zero(errors: list[int], expected: int) -> None:
    rounds = [round_with(before, after) for before, after in pairwise(errors)]
    assert improvement(rounds) == expected


def test_a_validator_with_worse_rows_changes_no_improvement() -> None:
    """100 → 80 of one set, 1000 → 825 of another: the sum of the gains would be the whole first error."""
    assert improvement([round_with(100, 80), round_with(1000, 825)]) == FIXED_POINT * 34 // 100


@given(st.lists(st.tuples(ERRORS, ERRORS), min_size=1, max_size=30))
def test_improvement_is_what_the_ratios_leave_to_a_unit_each(errors: list[tuple[int, int]]) -> None:
    exact = Fraction(errors[0][0])
    for before, after in errors:
        exact = exact * after / before
    left = errors[0][0]
    lost = Fraction(0)
    for before, after in errors:
        left = error_left(left, before, after)
        lost = lost * after / before + 1
    assert exact - lost <= left <= exact
    assert improvement([round_with(*one) for one in errors]) <= FIXED_POINT
