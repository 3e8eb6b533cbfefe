"""Ordering a training on the console: the form, what it says, and the order that goes to the daemon."""

import html
import re
from decimal import Decimal
from unicodedata import normalize

import pytest
from hypothesis import given

from protocol.messages import TrainingOrder
from protocol.request_kinds import DEMANDS
from protocol.request_parsing import parse_request
from services.common.documents import parse_yaml
from services.console.buyer.order_columns import with_column, without_column
from services.console.buyer.order_form import (
    canonical_yaml,
    check,
    document_of,
    fresh,
    shares_total,
    values_of,
)
from tests.support.console.orders import filled
from tests.support.deployment.documents import AGGREGATOR, any_request, request_content
from tests.support.mixed_columns import requests
from tests.support.several import CLASSES, TARGETS, several_request


@pytest.mark.parametrize("text", ["1e999999", "-1e999999", "NaN", "Infinity"])
def test_a_share_beyond_all_bounds_is_not_a_number_and_has_no_sum(text):
    values = filled(contribution=text, deposit=text)
    assert shares_total(values) is None
    assert {"contribution", "deposit"} <= set(check(values).problems)


def problems(**changes):
    return {name: problem.text for name, problem in check(filled(**changes)).problems.items()}


FORFEIT = "0x" + "33" * 20


@pytest.mark.parametrize(
    ("payment", "typed"),
    [
        ({"bonds": {"owner": str(10**15), "buyer": "1", "forfeit_to": FORFEIT}}, "0.001"),
        ({"token": "0x" + "70" * 20, "bonds": {"owner": "1500", "forfeit_to": FORFEIT}}, "1500"),
    ],
)
def test_bonds_come_through_the_form_in_the_units_of_the_deposit(payment, typed):
    request = any_request(payment={"deposit_wei": str(10**18), **payment})
    values = values_of(request.model_dump(mode="json"))
    assert values["bond_owner"] == typed
    assert parse_request(document_of(values)) == request


def test_empty_fields_are_no_bonds_and_what_is_wrong_with_bonds_is_told_beside_them():
    assert check(filled()).request.payment.bonds is None
    assert list(problems(bond_owner="1")) == ["forfeit_to"]
    assert list(problems(bond_owner="much", forfeit_to=FORFEIT)) == ["bond_owner"]
    assert "No bond is asked" in problems(forfeit_to=FORFEIT)["forfeit_to"]
    assert "somebody else" in problems(bond_aggregator="1", forfeit_to=AGGREGATOR)[""]


@given(requests())
def test_columns_of_every_kind_come_through_the_form(request):
    assert parse_request(document_of(values_of(request.model_dump(mode="json")))) == request


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ("kind: categorical, levels: [gas]", "feature-0-name"),
        ("kind: categorical, levels: [gas, oil, gas]", "feature-0-name"),
        ("kind: categorical, levels: [gas, oil], missing: 3", "feature-0-rules"),
        ("kind: text", "feature-0-rules"),
        ("missing: guess", "feature-0-rules"),
        ("levels: [a", "feature-0-rules"),
        ("}, {", "feature-0-rules"),
        ("name: other", "feature-0-rules"),
        ("kind: !!str boolean", "feature-0-rules"),
        ("kind", "feature-0-rules"),
    ],
)
def test_a_kind_or_rule_that_cannot_be_is_told_at_its_input(rules, place):
    ends = {} if "categorical" not in rules else {"feature-0-minimum": "", "feature-0-maximum": ""}
    assert list(problems(**ends, **{"feature-0-rules": rules})) == [place]


def test_a_kind_without_a_range_needs_none():
    empty = {"feature-0-minimum": "", "feature-0-maximum": ""}
    request = check(filled(**empty, **{"feature-0-rules": "kind: boolean, missing: indicator"})).request
    assert (request.features[0].kind, request.features[0].missing) == ("boolean", "indicator")
    assert {"feature-0-minimum", "feature-0-maximum"} == set(problems(**empty))


def test_the_defaults_need_only_names_ranges_and_the_mean():
    request = check(filled()).request
    assert request is not None
    assert request.payment.deposit_wei == 10**18
    assert request.payment.contribution_bps == 6500
    assert set(check(fresh()).problems) == {
        *("name", "aggregator", "start_value", "target-name", "target-minimum", "target-maximum"),
        *("feature-0-name", "feature-0-minimum", "feature-0-maximum"),
    }


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"rounds": "0"}, "rounds"),
        ({"rounds": "many"}, "rounds"),
        ({"rounds": "1.5"}, "rounds"),
        ({"step_size": "fast"}, "step_size"),
        ({"step_size": "0"}, "step_size"),
        ({"tolerance": "1"}, "tolerance"),
        ({"aggregator": "0x12"}, "aggregator"),
        ({"deposit": "0"}, "deposit"),
        ({"deposit": "0.0000000000000000001"}, "deposit"),
        ({"deposit": "1e-15"}, "deposit"),
        ({"contribution": "66"}, "shares"),
        ({"contribution": "6.555"}, "contribution"),
        ({"owners-minimum": "9", "owners-maximum": "8"}, "owners-maximum"),
        ({"feature-0-minimum": "120"}, "feature-0-name"),
        ({"target-maximum": "-1"}, "target-maximum"),
        ({"start": "mean", "start_value": "x"}, "start_value"),
        ({"start": "weights", "start_weights": "1"}, ""),
        ({"start": "weights", "start_weights": ""}, "start_weights"),
        ({"start": "training"}, "start"),
        ({"key_bits": "100"}, "key_bits"),
        ({"key_bits": "256", "residual_bits": "60"}, ""),
        ({"start_value": "401"}, ""),
        ({"feature-0-minimum": "1e12", "feature-0-maximum": "1000000000001"}, ""),
        ({"weight_bits": "4"}, ""),
        ({"start": "weights", "start_weights": "1e25 1"}, ""),
        ({"feature-0-name": "progression"}, ""),
    ],
)
def test_a_problem_is_told_where_it_is(changes, place):
    found = problems(**changes)
    assert list(found) == [place]
    assert found[place] != "%(reason)s", "has no words that can be translated"


def test_an_aggregator_is_taken_in_any_case_but_with_a_wrong_checksum():
    checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    for text in (checksummed, checksummed.lower(), f"0x{checksummed[2:].upper()}"):
        request = check(filled(aggregator=text)).request
        assert request is not None
        assert request.aggregator == checksummed.lower()
    wrong = checksummed.replace("aA", "AA", 1)
    problem = check(filled(aggregator=wrong)).problems["aggregator"]
    assert "has a wrong checksum" in problem.text
    assert problem.values == {"address": wrong}


def test_accents_are_brought_into_one_form_and_levels_that_become_one_are_refused():
    apart = normalize("NFD", "thé")
    rules = {"feature-0-minimum": "", "feature-0-maximum": "", "feature-0-name": apart}
    made = check(
        filled(**rules, **{"feature-0-rules": f"kind: categorical, levels: [lait, {apart}]"})
    ).request
    assert (made.features[0].name, made.features[0].levels) == ("thé", ("lait", "thé"))
    twice = check(filled(**rules, **{"feature-0-rules": f"kind: categorical, levels: [thé, {apart}]"}))
    [problem] = twice.problems.values()
    assert problem.text % problem.values == "The column thé has the level thé twice."


def test_a_decimal_comma_and_ether_are_understood():
    request = check(filled(step_size="0,25", deposit="0,5")).request
    assert str(request.schedule.step_size) == "0.25"
    assert request.payment.deposit_wei == 5 * 10**17
    for text, wei in (("0.5 ETH", 5 * 10**17), ("5000000 gwei", 5 * 10**15), ("10000000 wei", 10**7)):
        assert check(filled(deposit=text)).request.payment.deposit_wei == wei


def test_a_deposit_in_a_token_is_typed_in_its_smallest_units():
    token = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    payment = check(filled(token=token, deposit="25000000")).request.payment
    assert (payment.token, payment.deposit_wei) == (token.lower(), 25_000_000)
    assert list(problems(token=token, deposit="2.5")) == ["deposit"]
    assert list(problems(token="0x12", deposit="2500000")) == ["token"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"payment": {"deposit_wei": 10**10, "token": "0x" + "70" * 20}},
        {"start": {"start": "zero"}},
        {"start": {"start": "weights", "weights": [1, "2.5", 3]}},
        {"inference": True, "owners": {"minimum": 7, "maximum": 9}},
    ],
)
def test_a_document_survives_the_form_and_its_yaml(changes):
    request = any_request(**changes)
    again = check(values_of(request.model_dump(mode="json"))).request
    assert again == request
    assert parse_request(parse_yaml(canonical_yaml(request).encode(), "test")).hash() == request.hash()


def test_columns_come_and_go():
    values = with_column(with_column(filled()))
    values |= {"feature-1-name": "bmi", "feature-2-name": "bp"}
    assert values["feature-2-maximum"] == "120"
    names = [column["name"] for column in document_of(without_column(values, 1))["features"]]
    assert names == ["age", "bp"]
    assert without_column(filled(), 0) == filled()


async def test_a_form_is_checked_reviewed_and_ordered(world, browser):
    await browser.get("/trainings/new")
    response = await browser.post("/trainings/new/check", filled(rounds="0"))
    text = await response.text()
    assert response.status == 200
    assert re.search(r'id="problem-rounds"[^>]*hx-swap-oob="true">At least 1\.<', text)
    response = await browser.post("/trainings/new", filled())
    page = await response.text()
    request = check(filled()).request
    assert "0x" + request.hash().hex() in page
    assert html.escape(canonical_yaml(request).splitlines()[0]) in page
    assert "5 ETH" in page
    document = html.unescape(re.search(r'name="request" value="([^"]*)"', page).group(1))
    response = await browser.post("/trainings", {"request": document})
    assert response.status == 303
    assert world.orders == [(TrainingOrder(request=request), 0)]
    assert "The order was sent" in await browser.get(response.headers["Location"])


@pytest.mark.parametrize(
    ("changes", "document", "told"),
    [
        (
            {"scale": "none", "weight_bits": "24", "residual_bits": "24"},
            {"scale": "none"},
            "between columns that are scaled",
        ),
        (
            {"start": "weights", "start_weights": "90000 0"},
            {"start": {"start": "weights", "weights": ["90000", "0", "0"]}},
            "too large to be checked",
        ),
    ],
)
async def test_what_cannot_be_checked_is_told_in_the_form(world, browser, changes, document, told):
    page = await browser.post("/trainings/new", filled(**changes))
    assert (page.status, told in await page.text()) == (422, True)
    request = any_request(**document).model_dump_json()
    answer = await browser.post("/trainings", {"request": request})
    assert answer.status == 400  # a confirmation that no form has made
    assert not world.orders


async def test_a_form_with_problems_is_shown_again_and_nothing_is_sent(world, browser):
    response = await browser.post("/trainings/new", filled(rounds="0", name="<script>x</script>"))
    text = await response.text()
    assert response.status == 422
    assert "At least 1." in text
    assert "<script>x" not in text
    assert world.orders == []


async def test_what_is_missing_for_the_deposit_is_told(world, browser):
    world.balance = 4 * 10**17
    response = await browser.post("/trainings/new/check", filled())
    assert "lacks 0.6 ETH" in await response.text()


async def test_yaml_fills_the_form_and_what_is_no_yaml_is_told(browser):
    response = await browser.post("/trainings/new/yaml", {"yaml": canonical_yaml(any_request())})
    text = await response.text()
    assert response.status == 200
    assert 'name="feature-1-name" value="bmi"' in text
    for deposit, shown in (
        ("0.25 ETH", 'value="0.25"'),
        ("0.25", "&#39;0.25&#39; has no unit; write it with one"),
    ):
        response = await browser.post("/trainings/new/yaml", {"yaml": f"payment: {{deposit: {deposit}}}"})
        assert shown in await response.text()
    response = await browser.post("/trainings/new/yaml", {"yaml": "name: [1"})
    assert response.status == 422
    assert "line 1" in await response.text()


@pytest.mark.parametrize(
    ("content", "names"), [(TARGETS, "rent, price"), (CLASSES, "grower")], ids=["targets", "classes"]
)
async def test_several_targets_and_classes_come_through_the_form(browser, content, names):
    wanted = several_request(content)
    assert parse_request(document_of(values_of(wanted.model_dump(mode="json")))) == wanted
    response = await browser.post("/trainings/new/yaml", {"yaml": canonical_yaml(wanted)})
    page = await response.text()
    assert response.status == 200
    assert f'<option value="{wanted.model.kind}" selected' in page
    values = ", ".join(map(str, wanted.start.values))
    assert f'name="start_values" value="{values}"' in page
    response = await browser.post("/trainings/new", values_of(wanted.model_dump(mode="json")))
    assert f"<dd>{names}</dd>" in await response.text()


TARGET = {"target-name": "rent", "target-minimum": "0", "target-maximum": "9"}


@pytest.mark.parametrize(
    ("content", "changes", "place", "says"),
    [
        (TARGETS, {"targets": ""}, "", "List 2 to 16 columns"),
        (TARGETS, {"targets": "{name: rent, minimum: 0, maximum: 9}"}, "", "List 2 to 16 columns"),
        (TARGETS, {"targets": "{name: rent"}, "targets", "cannot be read"),
        (TARGETS, {"kind": "linear_regression", **TARGET}, "", "Only a regression of several targets"),
        (TARGETS, {"start_values": "12"}, "start_values", "At least 2."),
        (TARGETS, {"start_values": "12 24 36"}, "", "given: 3; needed: 2."),
        (TARGETS, {"start": "mean", "start_value": "3"}, "", "starts from each target's mean"),
        (CLASSES, {"kind": "linear_regression"}, "", "grower holds levels: ask for several classes"),
        (CLASSES, {"start_values": "0.3 0.3 0.3"}, "", "The shares add up to 0.9;"),
        (CLASSES, {"target-rules": "kind: categorical, levels: [a, b]"}, "", "There are 2 levels"),
        (CLASSES, {"target-rules": "kind: boolean"}, "", "Several classes are levels: write kind"),
    ],
)
def test_what_is_wrong_with_several_of_them_is_told_in_the_form_s_words(content, changes, place, says):
    values = values_of(several_request(content).model_dump(mode="json")) | changes
    [(found, problem)] = check(values).problems.items()
    assert found == place
    assert says in problem.text % problem.values


async def test_the_form_offers_every_kind(browser):
    page = await browser.get("/trainings/new")
    for kind in DEMANDS:
        assert f'<option value="{kind}"' in page


async def test_yaml_that_leaves_something_out_gets_the_defaults(browser):
    response = await browser.post("/trainings/new/yaml", {"yaml": "name: short\nschedule: {rounds: 7}\n"})
    text = await response.text()
    for field, value in (("name", "short"), ("rounds", "7"), ("owners-minimum", "4"), ("contribution", "65")):
        assert re.search(rf'name="{field}" value="{value}"', text), field


async def test_a_form_without_intercept_comes_back_with_its_problems(browser):
    values = filled(rounds="0")
    del values["intercept"]  # what a browser sends for a box that is not ticked
    response = await browser.post("/trainings/new", values)
    assert response.status == 422
    assert "At least 1." in await response.text()


async def test_a_forged_confirmation_orders_nothing(world, browser):
    broken = any_request().model_dump_json().replace('"rounds":20', '"rounds":0')
    for document in ("", "{}", "[]", broken):
        response = await browser.post("/trainings", {"request": document})
        assert response.status == 400
    assert world.orders == []


async def test_the_form_takes_a_column_more(browser):
    response = await browser.post("/trainings/new/form", {**filled(), "change": "add"})
    assert 'id="feature-1-name"' in await response.text()


def test_request_content_is_a_valid_example():
    assert parse_request(request_content()).name


CLASSIFICATION = {
    "kind": "binary_classification",
    "target-minimum": "",
    "target-maximum": "",
    "target-rules": "kind: boolean",
    "start_value": "0.3",
}


def test_a_classification_comes_through_the_form():
    request = check(filled(**CLASSIFICATION)).request
    assert request.model.kind == "binary_classification"
    assert request.target.kind == "boolean"
    assert parse_request(document_of(values_of(request.model_dump(mode="json")))) == request
    assert fresh()["kind"] == "linear_regression"
    assert check({name: text for name, text in filled().items() if name != "kind"}).request is not None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"target-minimum": "0", "target-maximum": "1", "target-rules": ""},
            "write kind: boolean in the rules of",
        ),
        ({"start": "zero"}, "starts from the target's mean"),
        ({"intercept": "", "start": "zero"}, "needs an intercept"),
    ],
)
def test_what_a_classification_lacks_is_told_in_the_forms_words(changes, says):
    assert says in problems(**{**CLASSIFICATION, **changes})[""]


def test_what_standard_errors_need_is_told_in_the_forms_words():
    owners = {"owners-minimum": "7", "owners-maximum": "9"}
    assert check(filled(inference="on", **owners)).request.inference
    assert "Standard errors need 7 owners" in problems(inference="on")[""]


COUNTS = {"kind": "negative_binomial_regression", "target-minimum": "0", "start_value": "3"}


def test_a_dispersion_comes_through_the_form_and_is_missed_where_it_is_needed_alone():
    request = check(filled(**COUNTS, dispersion="0,5")).request
    assert request.model.dispersion == Decimal("0.5")
    assert parse_request(document_of(values_of(request.model_dump(mode="json")))) == request
    assert "needs a dispersion" in problems(**COUNTS)[""]
    assert "leave it empty" in problems(**{**COUNTS, "kind": "poisson_regression"}, dispersion="1")[""]
    assert list(problems(**COUNTS, dispersion="0")) == ["dispersion"]


HAZARDS = {"kind": "cox_regression", "target-minimum": "0", "start": "zero"}


def test_hazards_come_through_the_form_with_their_column_of_events():
    request = check(filled(**HAZARDS, event=" died ")).request
    assert (request.model.event, [column.name for column in request.model.events]) == ("died", ["died"])
    assert parse_request(document_of(values_of(request.model_dump(mode="json")))) == request
    assert "whether the time ended with the event" in problems(**HAZARDS)[""]
    assert "starts from zero" in problems(**{**HAZARDS, "start": "mean"}, event="died")[""]
    assert "Only a Cox regression" in problems(**{**HAZARDS, "kind": "linear_regression"}, event="died")[""]
    assert "twice" in problems(**HAZARDS, event="age")[""]


def test_a_kind_that_there_is_not_is_told_beside_its_field():
    assert list(problems(kind="oracle")) == ["kind"]


async def test_a_request_that_takes_owners_with_few_rows_for_their_own_fit_is_told_so(browser):
    counts = {"kind": "poisson_regression", "target-minimum": "0", "start_value": "3"}
    for least, told in (("19", True), ("20", False)):
        for place in ("/trainings/new/check", "/trainings/new"):
            response = await browser.post(place, filled(**counts, min_rows=least))
            assert ("With fewer than 20" in await response.text()) is told


async def test_a_request_for_standard_errors_is_told_whose_silence_would_keep_them(browser):
    owners = {"owners-minimum": "7", "owners-maximum": "9"}
    for asked, told in ((owners | {"inference": "on"}, True), (owners, False)):
        for place in ("/trainings/new/check", "/trainings/new"):
            text = await (await browser.post(place, filled(**asked))).text()
            assert ("need an answer of every trainer" in text) is told


async def test_a_request_for_more_than_owners_allow_by_default_is_told_what_they_have_to_allow(browser):
    waves = "{kind: fourier, columns: [age], number: 100, length_scale: 1, seed: 1}"
    for basis, told in ((waves, True), ("", False)):
        for place in ("/trainings/new/check", "/trainings/new"):
            text = html.unescape(await (await browser.post(place, filled(basis=basis))).text())
            assert ("numbers about each owner's rows" in text) is told
            assert ("deltaml budget --config OWNER.yaml --per-buyer" in text) is told


def test_several_penalties_come_through_the_form():
    for text in ("1 0,1 0", "1; 0.1; 0", "1, 0.1, 0"):
        request = check(filled(l2=text, rounds="6")).request
        assert request.model.ridges == (Decimal(1), Decimal("0.1"), Decimal(0))
        values = values_of(request.model_dump(mode="json"))
        assert values["l2"] == "1 0.1 0"
        assert parse_request(document_of(values)) == request
    assert check(filled(l2="0,5")).request.model.l2 == Decimal("0.5")


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"l2": "0 1"}, "l2", "none stands twice: %(path)s."),
        ({"l2": "1 x"}, "l2", "must be a number"),
        ({"l2": "1 -1"}, "l2", "At least %(ge)s"),
        ({"l2": "9 8 7 6 5 4 3 2 1", "rounds": "9"}, "l2", "At most %(max_length)s"),
        ({"l2": ""}, "l2", "required"),
        ({"l2": "1 0", "rounds": "5"}, "", "over %(values)s penalties: make them %(rounds)s"),
        ({"l2": "1 0", "rounds": "6", "deliver": "last"}, "", "of the best round"),
    ],
)
def test_what_is_no_path_of_penalties_is_told_in_the_forms_words(changes, place, says):
    found = problems(**changes)
    assert list(found) == [place]
    assert says in found[place]
