"""Figures as people type them."""

from decimal import Decimal

import pytest

from services.console.presentation.parse import decimal_number, scaled, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 12 ", 12),
        ("0", 0),
        ("100", 100),
        ("101", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_whole_numbers_are_plain_digits_up_to_the_largest(text, number):
    assert whole_number(text, 100) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,25", "0.25"),
        ("-1.5", "-1.5"),
        ("1,000.5", None),
        ("580,000", None),
        ("0,125", "0.125"),
        ("12,50", "12.50"),
        ("NaN", None),
        ("1e999999", None),
        ("much", None),
    ],
)
def test_a_decimal_comma_is_a_point_and_a_number_has_a_bound(text, number):
    assert decimal_number(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("text", "wei"), [("1", 100), ("0,25", 25), ("0.001", None), ("9e39", None), ("", None)]
)
def test_a_part_of_the_smallest_unit_is_not_an_amount(text, wei):
    assert scaled(text, 100) == wei
