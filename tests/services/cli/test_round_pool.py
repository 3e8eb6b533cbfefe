"""Rounds in several processes: the same answers, in the same order, up to the first that fails."""

import os
import signal

import pytest

from protocol.verification.report import Failure, RoundReport
from services.cli.round_pool import side_by_side


def report(number: int) -> RoundReport:
    return RoundReport(round=number, attempt=os.getpid(), checks=())


@pytest.mark.parametrize("workers", [1, 2])
def test_rounds_are_told_in_their_order(workers):
    found = list(side_by_side(workers)(report, 5))
    assert [one.round for one in found] == [1, 2, 3, 4, 5]
    assert (os.getpid() in {one.attempt for one in found}) is (workers == 1)


def test_a_failure_comes_in_its_place():
    def check(number: int) -> RoundReport | Failure:
        failure = Failure(code="bad_opening", round=number, message="opening", detail="")
        return failure if number == 2 else report(number)

    found = list(side_by_side(2)(check, 3))
    assert [isinstance(one, Failure) for one in found] == [False, True, False]


def test_a_worker_that_is_killed_is_no_round_that_holds():
    def check(number: int) -> RoundReport:
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return report(number)

    with pytest.raises(Exception, match="abruptly"):
        list(side_by_side(2)(check, 3))
