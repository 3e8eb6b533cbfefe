"""A path of ridge penalties in a request: what is one, which round takes which λ, what it may end by."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import MisuseError
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_schedule import Schedule
from protocol.request_sections import ModelKind
from protocol.ridge_path import committed_rows, ridge_index, ridge_of, ridges_by_round, walks_last
from protocol.roles.shared.parties import is_last
from tests.support.roles.small_markets import small_request

PATH = ["1", "0.1", "0"]


def request_of(l2: Any, rounds: int = 6, **changes: Any) -> Request:
    schedule = {"rounds": rounds, "local_steps": 2, **changes.pop("schedule", {})}
    values = small_request(model={"l2": l2}, schedule=schedule, **changes)
    return parse_request({**values, "aggregator": "0x" + "aa" * 20})


@given(st.integers(2, 8), st.integers(1, 50))
def test_every_penalty_has_as_many_rounds_in_a_row_strongest_first(values: int, each: int) -> None:
    model = ModelKind(l2=tuple(Decimal(values - one) for one in range(values)))
    schedule = Schedule(rounds=values * each)
    taken = [ridge_index(model, schedule, number) for number in range(1, schedule.rounds + 1)]
    assert taken == [one for one in range(values) for _ in range(each)]
    assert [ridge_of(model, schedule, number + 1) for number in range(schedule.rounds)] == [
        model.ridges[one] for one in taken
    ]
    last = [walks_last(model, schedule, number) for number in range(1, schedule.rounds + 1)]
    assert last == [False] * (values - 1) * each + [True] * each


def test_one_number_is_taken_by_every_round_and_written_as_before() -> None:
    one = request_of("0.25", rounds=5)
    assert one.model.l2 == Decimal("0.25")
    assert one.model.ridges == (Decimal("0.25"),)
    assert ridges_by_round(one.model, one.schedule, 5) == [0.25] * 5
    assert committed_rows(one.model, one.parameters) == one.parameters
    assert b'"l2":"0.25"' in one.canonical()
    assert request_of(0.25, rounds=5).hash() == one.hash()


def test_a_path_is_written_as_a_list_and_read_again() -> None:
    wanted = request_of(PATH)
    assert wanted.model.ridges == (Decimal(1), Decimal("0.1"), Decimal(0))
    assert committed_rows(wanted.model, wanted.parameters) == 9
    assert b'"l2":["1","0.1","0"]' in wanted.canonical()
    assert parse_request(wanted.model_dump(mode="json")) == wanted
    assert request_of([1, 0.1, 0]).hash() == wanted.hash() != request_of([1, 0.2, 0]).hash()


@pytest.mark.parametrize(
    ("l2", "changes", "told"),
    [
        (["0", "0.1", "1"], {}, r"a path of l2 falls, .*: \[1, 0.1, 0\]"),
        (["1", "1"], {}, r"falls, the strongest penalty first, and has none twice: \[1\]"),
        (["1"], {}, "model.l2: must have 2 or more items, and has 1"),
        ([], {}, "2 or more items, and has 0"),
        ([str(9 - one) for one in range(9)], {"rounds": 9}, "at most 8 items"),
        (["1", "-1"], {}, r"model.l2.1: must be 0 or more \(given: '-1'\)"),
        (["1", "x"], {}, "model.l2.1: must be a decimal number"),
        ({"value": 1}, {}, "model.l2: must be a number"),
        (PATH, {"rounds": 5}, "model.l2 has 3 values, .* schedule.rounds, 5, .* out evenly: make it 6"),
        (PATH, {"rounds": 2}, "make it 3"),
        (PATH, {"schedule": {"deliver": "last"}}, "needs schedule.deliver: best"),
    ],
)
def test_what_is_no_path_is_refused_with_the_remedy(l2: Any, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MisuseError, match=told):
        request_of(l2, **changes)


def features(count: int) -> list[dict[str, Any]]:
    return [{"name": f"x{one}", "minimum": 0, "maximum": 1} for one in range(count)]


@pytest.mark.parametrize(
    ("count", "owners", "told"),
    [
        (2048, 4, "2 values of 2049 weights make 4098 rows .* at most 4097: take fewer values"),
        (1000, 128, "128 owners to 2002 rows each are 65,601,536 bytes; at most 33,554,432"),
    ],
)
def test_a_path_of_more_rows_than_messages_have_room_for_is_refused(
    count: int, owners: int, told: str
) -> None:
    with pytest.raises(MisuseError, match=told):
        request_of(["1", "0"], features=features(count), owners={"maximum": owners})


def test_no_round_before_the_last_penalty_s_ends_the_training_for_its_small_gain() -> None:
    wanted = request_of(PATH, schedule={"tolerance": "0.1"})
    assert [is_last(wanted, number, 100, 99, 99) for number in range(1, 7)] == [False] * 4 + [True] * 2
    assert is_last(wanted, 1, 100, 0, 0), "the contract takes no round after it"
