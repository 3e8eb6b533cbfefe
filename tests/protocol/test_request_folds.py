"""Folds in a request: what goes together, and what pay, terms and budgets make of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import MisuseError
from protocol.marketplace import fold_sizes, validator_count
from protocol.payment import pay_range
from protocol.request_parsing import parse_request
from protocol.roles.owner.budget import most_numbers
from tests.support.deployment.documents import KEY_ID, any_request, request_content


def folded(folds: int, rounds: int = 6, owners: int = 6, **changes: object) -> dict[str, object]:
    schedule: dict[str, object] = {"rounds": rounds, "folds": folds, "step_size": 1}
    if "method" in changes:
        schedule = {"rounds": rounds, "folds": folds, "method": changes.pop("method")}
    return request_content(schedule=schedule, owners={"minimum": owners, "maximum": 12}, **changes)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (folded(3, rounds=7), "take a multiple of 3, 9 for one"),
        (folded(3, owners=5), "owners.minimum must be 6 or more, and is 5"),
        (folded(11, rounds=11), "schedule.folds"),
        (folded(2, inference=True, owners=8), "leave schedule.folds out"),
        (folded(2, model={"kind": "linear_regression", "l2": [1, 0.1]}), "model.l2 is a path"),
        (folded(2, method="admm"), "schedule.method is admm"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(content: dict[str, object], text: str) -> None:
    with pytest.raises(MisuseError, match=text):
        parse_request(content)


def test_a_request_without_folds_keeps_its_hash_and_has_one_in_its_terms() -> None:
    plain, one = parse_request(folded(1)), parse_request(folded(2))
    assert "folds" not in plain.model_dump(mode="json")["schedule"]
    assert plain.hash() != one.hash()
    assert (plain.terms(KEY_ID).folds, one.terms(KEY_ID).folds) == (1, 2)


@given(st.integers(1, 10), st.integers(1, 20))
def test_every_round_is_in_one_fold_which_begins_with_its_first(folds: int, each: int) -> None:
    schedule = any_request(
        schedule={"rounds": folds * each, "folds": folds, "step_size": 1},
        owners={"minimum": 20, "maximum": 20},
    ).schedule
    numbers = range(1, folds * each + 1)
    assert [schedule.fold_of(number) for number in numbers] == [
        place // each for place in range(folds * each)
    ]
    assert [number for number in numbers if schedule.begins_fold(number)] == list(
        range(1, folds * each + 1, each)
    )
    assert schedule.fold_of(folds * each + 1) == folds - 1


@given(st.integers(2, 10), st.integers(4, 256))
def test_the_folds_of_any_number_of_owners_are_as_large_as_each_other_but_for_one(
    folds: int, owners: int
) -> None:
    edges = [fold * owners // folds for fold in range(folds + 1)]
    sizes = [high - low for low, high in pairwise(edges)]
    assert fold_sizes(owners, folds) == (min(sizes), max(sizes))
    assert fold_sizes(owners, 1) == (validator_count(owners),) * 2


def test_an_owner_is_paid_for_both_roles_and_reserves_what_every_fold_publishes() -> None:
    request, plain = parse_request(folded(3)), parse_request(folded(1))
    pay = pay_range(request)
    assert (pay.trainer_least, pay.trainer_most) == (pay.validator_least, pay.validator_most)
    assert 0 < pay.least < pay.most
    # Of twelve owners eight train at once in either; two of a fold's rounds may each measure a start.
    fold_numbers = 1 + 2 * 8 * 6 + 3 * 2 + request.parameters + 4
    assert most_numbers(request) == fold_numbers
    assert most_numbers(plain) == 1 + 2 * 8 * 6 + 6 + plain.parameters + 4
