"""Curves in a request's form: a text as in YAML, which comes back as it was, and what is wrong with one."""

import pytest

from protocol.request_parsing import parse_request
from services.console.buyer.order_columns import list_document, list_text
from services.console.buyer.order_form import check, document_of, values_of
from tests.support.console.orders import filled
from tests.support.curved import BASES, curved_request


def problems(basis):
    return check(filled(basis=basis)).problems


def test_curves_come_through_the_form():
    request = curved_request()
    assert parse_request(document_of(values_of(request.model_dump(mode="json")))) == request
    assert list_document(list_text(list(BASES))) == tuple(
        {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
        for one in BASES
    )
    assert list_document(list_text(())) == ()


def test_an_empty_field_asks_for_no_curves():
    assert check(filled()).request.basis == ()
    assert problems("{kind: polynomial, column: age, degree: 3}") == {}


@pytest.mark.parametrize(
    ("basis", "place", "says"),
    [
        ("{kind: wavelet, column: age}", "basis", "must be polynomial"),
        ("{kind: polynomial, column: age, degree: 9}", "basis", "At most 3"),
        ("{kind: polynomial", "basis", "cannot be read"),
        ("], more: [", "basis", "cannot be read"),
        ("{kind: spline, column: age, knots: [3, 2]}", "basis", "must ascend"),
        ("{kind: spline, column: age, knots: [200]}", "", "within its range"),
        ("{kind: spline, column: weight, knots: [20]}", "", "no column weight"),
    ],
)
def test_what_is_wrong_with_curves_is_told_in_the_form_s_words(basis, place, says):
    [(found, problem)] = problems(basis).items()
    assert found == place
    assert says in problem.text % problem.values


async def test_what_is_to_be_confirmed_names_the_curves(browser):
    assert 'name="basis"' in await browser.get("/trainings/new")
    basis = "{kind: polynomial, column: age, degree: 2}"
    response = await browser.post("/trainings/new", filled(basis=basis))
    assert "P2(age)" in await response.text()
