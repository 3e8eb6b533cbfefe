"""Mean and spread of the folds' errors, out of recorded rounds, and how they are told."""

from statistics import fmean, stdev

import pytest

from protocol.payment import PaidRound, fold_weights, improvement, mean_improvement, rounds_of_folds
from protocol.records import FIXED_POINT
from services.console.presentation.folds import folds_sentence
from services.records.folds import fold_errors
from tests.support.deployment.documents import any_request

OWNERS = ("0x" + "01" * 20, "0x" + "02" * 20)


def request_of(folds, rounds=6):
    owners = {"minimum": 8, "maximum": 8}
    return any_request(schedule={"rounds": rounds, "folds": folds, "step_size": 1}, owners=owners)


def rounds_to(errors, each=2):
    """Recorded rounds with these errors after them; every fold starts from 100."""
    made = []
    for number, after in enumerate(errors, 1):
        begins = (number - 1) % each == 0
        before = 100 if begins else errors[number - 2]
        delivers = begins or after < before
        made.append(
            PaidRound(
                number=number,
                last=False,
                mse_before=before * FIXED_POINT,
                mse_after=after * FIXED_POINT,
                trainers=OWNERS,
                validators=OWNERS,
                pay_weights=(1, 1),
                delivers=delivers,
            )
        )
    return made


def test_each_fold_has_the_error_of_the_model_that_it_delivers():
    request = request_of(3)
    unit = float(request.error_unit)
    found = fold_errors(request, rounds_to([60, 50, 70, 80, 40, 30]))
    errors = [unit * error for error in (50, 70, 30)]
    assert found is not None
    assert found.errors == pytest.approx(errors)
    assert found.mean == pytest.approx(fmean(errors))
    assert found.deviation == pytest.approx(stdev(errors))
    assert folds_sentence(found).startswith("Over all 3 folds")
    assert folds_sentence(found, "es").startswith("En los 3 pliegues")


def test_a_fold_counts_once_it_is_over():
    request = request_of(3)
    assert fold_errors(request, rounds_to([60])) is None
    one = fold_errors(request, rounds_to([60, 50, 70]))
    assert one is not None
    assert one.deviation is None
    assert folds_sentence(one).startswith("One of 3 folds is over")
    two = fold_errors(request, rounds_to([60, 50, 70, 60]))
    assert two is not None
    assert folds_sentence(two).startswith("Over 2 of 3 folds")


def test_without_folds_there_is_nothing_to_tell():
    assert fold_errors(request_of(1), rounds_to([60, 50], each=6)) is None


def test_the_pot_is_paid_by_the_mean_of_the_folds_of_which_one_without_rounds_has_none():
    request = request_of(3)
    rounds = rounds_to([60, 50, 70, 80])
    folds = rounds_of_folds(request.schedule, rounds)
    assert [improvement(fold) for fold in folds] == [FIXED_POINT // 2, 3 * FIXED_POINT // 10]
    assert mean_improvement(request.schedule, rounds) == 8 * FIXED_POINT // 30


def test_weights_are_shares_of_their_folds_first_error():
    assert fold_weights([25 * FIXED_POINT, 0], 100 * FIXED_POINT) == [FIXED_POINT // 4, 0]
