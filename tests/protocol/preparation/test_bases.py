"""Which bases a request may declare, and what its hash and its weights are then."""

import pytest

from protocol.errors import MisuseError
from protocol.request_parsing import parse_request
from tests.support.curved import BASES, curved_request


def test_weights_are_named_after_columns_and_functions():
    names = curved_request().weight_names
    assert names[:3] == ("size", "size is missing", "log(price)")
    assert names[8:12] == ("P2(size)", "P3(size)", "spline(log(price)) 1", "spline(log(price)) 2")
    assert "size × heat=oil" in names
    assert names[-1] == "wave 7 of seed 3"
    assert curved_request().parameters == len(names) + 1


def test_a_request_without_a_basis_keeps_its_hash_and_one_with_has_another():
    """What was paid for: an owner that computed other curves would not be noticed otherwise."""
    plain, empty = curved_request(basis=[]), curved_request(basis=())
    assert b"basis" not in plain.canonical()
    assert plain.hash() == empty.hash() != curved_request().hash()
    other = [{**BASES[-1], "seed": 4}]
    assert curved_request(basis=other).hash() != curved_request(basis=[BASES[-1]]).hash()


def test_the_document_is_read_back_as_it_was():
    request = curved_request()
    assert parse_request(request.model_dump(mode="json")) == request


@pytest.mark.parametrize(
    ("basis", "says"),
    [
        ({"kind": "polynomial", "column": "none", "degree": 2}, "'none': there is no such feature"),
        ({"kind": "polynomial", "column": "heat", "degree": 2}, "is categorical; numbers and dates have"),
        ({"kind": "polynomial", "column": "garden", "degree": 2}, "is boolean; numbers and dates have"),
        ({"kind": "polynomial", "column": "size", "degree": 4}, "must be 3 or less"),
        ({"kind": "spline", "column": "size", "knots": []}, "must have 1 or more items, and has 0"),
        ({"kind": "spline", "column": "size", "knots": list(range(11, 44))}, "at most 32 items"),
        ({"kind": "spline", "column": "size", "knots": [50, 50]}, "knots must ascend"),
        ({"kind": "spline", "column": "size", "knots": [5]}, "between the column's minimum and maximum"),
        ({"kind": "spline", "column": "size", "knots": [50, "50.01"]}, "1024th of that range"),
        ({"kind": "spline", "column": "price", "knots": [-1]}, "knot -1 has no logarithm"),
        ({"kind": "interaction", "columns": ["size", "size"]}, "with itself"),
        ({"kind": "fourier", "columns": ["size", "heat"], "number": 5}, "is categorical"),
        ({"kind": "fourier", "columns": ["size"], "number": 1025}, "must be 1024 or less"),
        ({"kind": "fourier", "columns": ["size", "size"], "number": 5}, "is named twice"),
        ({"kind": "fourier", "columns": ["size"], "number": 5, "length_scale": 0}, "or more"),
        ({"kind": "wavelet", "column": "size"}, "must be polynomial, spline, interaction or fourier"),
        ({"column": "size"}, "must be polynomial, spline, interaction or fourier"),
    ],
)
def test_a_basis_that_cannot_be_is_refused(basis, says):
    with pytest.raises(MisuseError, match=says):
        curved_request(basis=[basis])


def test_more_functions_than_a_request_may_have_are_refused_with_the_bound():
    """Before they are named: two long vocabularies make a million products."""
    waves = [{"kind": "fourier", "columns": ["size"], "number": 1024, "seed": seed} for seed in range(5)]
    with pytest.raises(MisuseError, match="5128 weights; at most 4096"):
        curved_request(basis=waves)
    with pytest.raises(MisuseError, match="at most 64"):
        curved_request(basis=[{"kind": "polynomial", "column": "size", "degree": 2}] * 65)


@pytest.mark.parametrize("change", [{"scale": "none"}, {"model": {"intercept": False}}])
def test_curves_need_the_range_s_scale_and_an_intercept(change):
    bounds = {"bounds": {"weight_bits": 40, "residual_bits": 60}}
    with pytest.raises(MisuseError, match="basis needs"):
        curved_request(**change, **bounds)


def test_the_same_function_twice_is_refused():
    with pytest.raises(MisuseError, match=r"two weights are named 'P2\(size\)'"):
        curved_request(basis=[{"kind": "polynomial", "column": "size", "degree": 2}] * 2)
