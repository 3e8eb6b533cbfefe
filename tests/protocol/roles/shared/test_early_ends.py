"""When a round is the last before the agreed number: what gained too little, never what made it worse."""

import pytest

from protocol.request import Request
from protocol.roles.shared.parties import is_last
from tests.support.deployment.documents import any_request


def request_of(tolerance: str) -> Request:
    return any_request(schedule={"rounds": 20, "step_size": 1, "tolerance": tolerance})


@pytest.mark.parametrize(
    ("after", "ended"), [(89, False), (91, True), (100, True), (101, False), (600, False), (0, True)]
)
def test_a_round_that_gained_too_little_ends_the_training_and_a_worse_one_does_not(
    after: int, ended: bool
) -> None:
    assert is_last(request_of("0.1"), 3, 100, after, after) is ended


def test_without_a_tolerance_only_the_agreed_number_or_a_perfect_model_ends_it() -> None:
    request = request_of("0")
    assert [is_last(request, 3, 100, after, after) for after in (0, 100, 200)] == [True, False, False]
    assert is_last(request, 20, 100, 50, 50)
    assert is_last(request, 3, 100, 50, 0), "the contract takes no round after it"
