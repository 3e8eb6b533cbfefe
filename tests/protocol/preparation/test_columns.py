"""Columns of every kind in a request: what may be declared, its weights' names, one hash for one meaning."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from protocol.codec import pack, unpack
from protocol.errors import MisuseError
from protocol.preparation.columns import parameters_of
from protocol.preparation.values import LONGEST_LEVEL, MAXIMUM_LEVELS
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_sections import MAXIMUM_FEATURES
from tests.support.deployment.documents import any_request, request_content
from tests.support.mixed_columns import requests

AREA = {"name": "area", "minimum": 1, "maximum": 500}
HEATING = {"name": "heating", "kind": "categorical", "levels": ["gas", "oil", "electric"]}
BUILT = {"name": "built", "kind": "date", "minimum": "1900-01-01", "maximum": "2025-01-01"}
GARDEN = {"name": "garden", "kind": "boolean"}


def names(*features: dict[str, Any]) -> list[str]:
    return [parameter.name for parameter in parameters_of(any_request(features=list(features)).features)]


def refusal(*features: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(MisuseError) as caught:
        any_request(features=list(features) or [AREA], **changes)
    return str(caught.value)


def test_every_weight_has_a_name_that_people_read() -> None:
    assert names(AREA, GARDEN, BUILT, HEATING) == [
        "area",
        "garden",
        "built",
        "heating=oil",
        "heating=electric",
    ]
    assert names({**AREA, "log": True, "missing": "indicator"}) == ["log(area)", "area is missing"]
    assert names({**HEATING, "reference": "oil", "other": "level", "missing": "indicator"}) == [
        "heating=gas",
        "heating=electric",
        "heating is other",
        "heating is missing",
    ]
    assert any_request(features=[AREA, HEATING]).parameters == 4


def test_indicators_stay_as_they_are_and_the_others_are_scaled_by_their_ranges() -> None:
    request = any_request(features=[{**AREA, "log": True}, HEATING, {**BUILT, "unit": "years"}, GARDEN])
    logs, oil, electric, built, garden, target = request.scalings()
    assert (float(logs.center), oil, electric) == (pytest.approx(np.log(500) / 2), (0, 1), (0, 1))
    assert (float(built.center), float(built.half)) == pytest.approx((-7.5, 62.5), abs=0.02)
    assert (garden, target) == ((Decimal("0.5"), Decimal("0.5")), (200, 200))


@given(request=requests())
def test_one_meaning_has_one_canonical_form_and_travels_whole(request: Request) -> None:
    assert unpack(Request, pack(request)) == request
    again = parse_request(request.model_dump(mode="json"))
    assert again == request
    assert again.hash() == request.hash()


@pytest.mark.parametrize(
    ("column", "defaults"),
    [
        (AREA, {"kind": "numeric", "log": False, "missing": "refuse", "outside": "refuse"}),
        (GARDEN, {"missing": "refuse"}),
        (BUILT, {"unit": "days", "origin": "1970-01-01", "missing": "refuse", "outside": "refuse"}),
        (HEATING, {"reference": None, "other": "refuse", "missing": "refuse"}),
    ],
)
def test_what_is_the_default_may_be_written_and_is_left_out_of_the_canonical_form(column, defaults) -> None:
    short, long = any_request(features=[column]), any_request(features=[{**column, **defaults}])
    assert short.hash() == long.hash()
    assert not set(defaults) - {"kind"} & set(long.model_dump(mode="json")["features"][0])
    for field, value in {"missing": "indicator", "log": True, "other": "level", "unit": "years"}.items():
        if field in defaults:
            assert any_request(features=[{**column, field: value}]).hash() != short.hash()


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ({**AREA, "minimum": 0, "log": True}, "column 'area': log needs a minimum above zero"),
        ({**AREA, "missing": {"value": 501}}, "missing.value must lie between minimum and maximum"),
        ({**AREA, "missing": {"values": 5}}, "features.0.missing.value: is missing"),
        ({**AREA, "missing": "drop"}, "features.0.missing: must be one of refuse, indicator"),
        ({**AREA, "outside": "drop"}, "features.0.outside: must be one of refuse, clip"),
        ({**AREA, "kind": "ordinal"}, "kind must be numeric, boolean, categorical or date"),
        ({**AREA, "levels": ["a"]}, "features.0.levels: unknown field"),
        ({"name": "area", "minimum": 1}, "features.0.maximum: is missing"),
        ({**GARDEN, "missing": {"value": 2}}, "features.0.missing.value: must be true or false"),
        ({**BUILT, "minimum": "1900-02-30"}, "features.0.minimum: must be a date like"),
        ({**BUILT, "minimum": "1900-1-01"}, "features.0.minimum"),
        ({**BUILT, "minimum": "2025-01-01"}, "column 'built': minimum must be before maximum"),
        ({**BUILT, "missing": {"value": "1899-12-31"}}, "missing.value must lie between"),
        ({**BUILT, "unit": "decades"}, "features.0.unit"),
        ({**HEATING, "levels": []}, "must have 1 or more items, and has 0"),
        ({**HEATING, "levels": ["gas"]}, "column 'heating': one level tells nothing"),
        ({**HEATING, "levels": ["gas", "oil", "gas"]}, "level 'gas' is named twice"),
        ({**HEATING, "levels": ["gas", "oil "]}, "must not begin or end with a space"),
        ({**HEATING, "levels": ["gas", True]}, "write it in quotes"),
        ({**HEATING, "levels": ["gas", "x" * (LONGEST_LEVEL + 1)]}, "at most 100 characters"),
        ({**HEATING, "levels": [str(n) for n in range(MAXIMUM_LEVELS + 1)]}, "at most 256 items"),
        ({**HEATING, "reference": "wood"}, "reference 'wood' is none of its levels"),
        ({**HEATING, "missing": {"value": "wood"}}, "missing.value 'wood' is none of its levels"),
    ],
)
def test_what_no_column_can_be_is_told_with_its_place(column: dict[str, Any], text: str) -> None:
    assert text in refusal(column)


def test_numbers_are_levels_too() -> None:
    request = any_request(features=[{**HEATING, "levels": [1, 2, "3+"]}])
    assert [one.name for one in parameters_of(request.features)] == ["heating=2", "heating=3+"]


def test_two_weights_of_one_name_are_refused() -> None:
    clash = {"name": "heating=oil", "minimum": 0, "maximum": 1}
    assert "two weights are named 'heating=oil'; rename" in refusal(clash, HEATING)


def test_weights_are_bounded_whatever_they_come_from() -> None:
    levels = [str(number) for number in range(MAXIMUM_LEVELS)]
    many = [{**HEATING, "name": f"c{n}", "levels": levels} for n in range(MAXIMUM_FEATURES // 255 + 1)]
    assert "the features make 4335 weights; at most 4096" in refusal(*many)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (HEATING, "is categorical: ask for several_classes"),
        (BUILT, "a target must be numeric or boolean"),
        ({**AREA, "log": True}, "target: missing values and logarithms are for features"),
        ({**AREA, "missing": "indicator"}, "target: missing values and logarithms are for features"),
    ],
)
def test_targets_that_cannot_be_predicted(target: dict[str, Any], text: str) -> None:
    content = request_content(target={**target, "name": "y"}, start={"start": "zero"})
    with pytest.raises(MisuseError, match=text):
        parse_request(content)


def test_a_truth_value_can_be_predicted() -> None:
    request = any_request(target={**GARDEN, "name": "sold"}, start={"start": "mean", "value": "0.25"})
    assert (request.target_range, request.start_weights()[-1]) == (2, Decimal("-0.5"))
