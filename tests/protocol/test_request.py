"""The request document: what is refused and how, and a hash that never wavers."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
import yaml
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol import request as request_module
from protocol.codec import pack, unpack
from protocol.errors import MisuseError
from protocol.request import Request
from protocol.request_bounds import largest_trained_weight
from protocol.request_parsing import parse_request
from protocol.types import ZERO_ADDRESS
from tests.support.deployment.documents import AGGREGATOR, KEY_ID, any_request, request_content

CANONICAL = (
    '{"aggregator":"0xabababababababababababababababababababab",'
    '"bounds":{"min_rows":20,"residual_bits":null,"weight_bits":null},'
    '"deadlines":{"chain_s":300,"join_s":600,"reveal_s":600,"step_s":120},'
    '"features":[{"maximum":"120","minimum":"0","name":"age"},{"maximum":"80","minimum":"10.5","name":"bmi"}],'
    '"key_bits":3072,'
    '"model":{"intercept":true,"kind":"linear_regression","l2":"0.00001"},'
    '"name":"Disease progression",'
    '"owners":{"admission":"both","maximum":64,"minimum":4},'
    '"payment":{"abandon_bps":200,"aggregation_bps":1000,"contribution_bps":6500,"deposit_wei":"1000000000000000000",'
    '"participation_bps":500,"validation_bps":2000},'
    '"scale":"range",'
    '"schedule":{"deliver":"best","local_steps":5,"rounds":20,"step_size":"0.5","tolerance":"0.001"},'
    '"start":{"start":"mean","value":"152.13"},'
    '"target":{"maximum":"400","minimum":"0","name":"progression"}}'
)

DOCUMENT = """
name: Disease progression
aggregator: "0xabababababababababababababababababababab"
target: {name: progression, minimum: 0, maximum: 4e+2}
features:
  - {name: age, minimum: -0.0, maximum: 120.000}
  - {name: bmi, maximum: 80, minimum: "10.50"}
payment: {deposit_wei: 1_000_000_000_000_000_000}
start: {start: mean, value: 1.5213e2}
schedule: {step_size: 5e-1, rounds: 20, local_steps: 5}
"""


def refusal(content: Any) -> str:
    with pytest.raises(MisuseError) as caught:
        parse_request(content)
    return str(caught.value)


def test_the_canonical_form_and_its_hash_are_pinned() -> None:
    # Deposits lie on chain under this hash: another form would orphan them.
    request = any_request()
    assert request.canonical().decode() == CANONICAL
    assert request.hash() == keccak(CANONICAL.encode())


def test_a_document_written_otherwise_has_the_same_hash() -> None:
    assert parse_request(yaml.safe_load(DOCUMENT)).hash() == any_request().hash()
    reversed_content = dict(reversed(request_content().items()))
    assert parse_request(reversed_content).hash() == any_request().hash()


def test_the_canonical_form_is_a_document_itself() -> None:
    request = any_request()
    assert parse_request(yaml.safe_load(request.canonical())) == request


def test_the_hash_does_not_depend_on_the_decimal_context() -> None:
    request = any_request()
    expected = request.hash()
    with localcontext() as context:
        context.prec = 50
        assert parse_request(request_content()).hash() == expected


@given(
    first=st.decimals(-(10**6), 399, allow_nan=False, allow_infinity=False),
    second=st.decimals(-(10**6), 399, allow_nan=False, allow_infinity=False),
)
def test_other_numbers_have_another_hash(first: Decimal, second: Decimal) -> None:
    hashes = set()
    for minimum in (first, second):
        target = {"name": "progression", "minimum": minimum, "maximum": 400}
        try:
            hashes.add(any_request(target=target).hash())
        except MisuseError:
            return
    assert len(hashes) == (1 if first == second else 2)


@pytest.mark.parametrize(
    "maximum", ["1e28", "9.9e29", "1e30", "1" + "0" * 30, "1.0000000000000000000000000000000"]
)
def test_every_number_that_is_taken_can_be_read_again(maximum) -> None:
    """The canonical form of 1e30 has more digits than a number may have that arithmetic would round."""
    target = {"name": "progression", "minimum": 0, "maximum": maximum}
    request = any_request(target=target, start={"start": "zero"})
    assert unpack(Request, pack(request)) == request
    assert parse_request(request.model_dump(mode="json")).hash() == request.hash()


@pytest.mark.parametrize(
    ("minimum", "maximum"),
    [
        ("5.099999999999999999999999999", "5.100000000000000000000000001"),
        ("5.099999999999999", "5.100000000000001"),
        ("-1000000000.0000001", "-1000000000"),
        ("1e30", "1000000000000000000000001000000"),
    ],
)
def test_a_range_that_floating_point_does_not_resolve_is_refused(minimum, maximum) -> None:
    """A constant column fits into it, and its rounding errors would be scaled up to 10¹² times the range."""
    narrow = {"name": "age", "minimum": minimum, "maximum": maximum}
    assert "column 'age': floating point has no numbers" in refusal(request_content(features=[narrow]))
    assert "column 'age': floating point has no numbers" in refusal(
        request_content(target=narrow, features=[{"name": "bmi", "minimum": 10, "maximum": 80}])
    )
    # Without an intercept nothing is subtracted.
    any_request(features=[narrow], start={"start": "zero"}, model={"intercept": False})


def test_numbers_that_rounding_would_merge_are_refused() -> None:
    # They would be equal after rounding to the context's 28 digits, so two documents would share a hash.
    target = {"name": "progression", "minimum": "0.12345678901234567890123456789", "maximum": 400}
    assert "target.minimum: must have at most 28 digits" in refusal(request_content(target=target))


@pytest.mark.parametrize(
    ("path", "value", "texts"),
    [
        (("schedule", "rounds"), 0, ["schedule.rounds", "must be 1 or more", "'0'"]),
        (("schedule", "rounds"), 10_001, ["must be 10000 or less", "'10001'"]),
        (("schedule", "rounds"), 2.5, ["must be a whole number", "'2.5'"]),
        (("schedule", "rounds"), True, ["must be a whole number"]),
        (("schedule", "step_size"), 0, ["schedule.step_size", "must be above 0"]),
        (("schedule", "step_size"), "fast", ["must be a decimal number", "'fast'"]),
        (("schedule", "step_size"), float("nan"), ["finite number", "'nan'"]),
        (("schedule", "step_size"), "1e31", ["between 1e-30 and 1e30", "'1e31'"]),
        (("schedule", "tolerance"), 1, ["must be below 1"]),
        (("target", "maximum"), 0, ["column 'progression': minimum must be below maximum"]),
        (("target", "name"), "age", ["column 'age' is named twice"]),
        (("target", "name"), "a\nb", ["printable text on one line"]),
        (("payment", "deposit_wei"), 0, ["payment.deposit_wei", "must be 1 or more"]),
        (("payment", "deposit_wei"), "1e18", ["must be a whole number", "'1e18'"]),
        (("payment", "deposit_wei"), 2**128, ["must be below"]),
        (("payment", "aggregation_bps"), 999, ["add up to 9999 basis points; they must make 10000"]),
        (("aggregator",), "0xAB", ["aggregator", "'0xAB'"]),
        (("key_bits",), 3000, ["multiple of 64", "'3000'"]),
        (("start", "value"), 401, ["start.value is 401, no mean of a target between 0 and 400"]),
        (("start", "start"), "median", ["start", "one of zero, mean"]),
        (("surprise",), 1, ["surprise: unknown field"]),
        (("schedule", "epochs"), 1, ["schedule.epochs: unknown field"]),
    ],
)
def test_what_is_wrong_is_named_with_its_bound(
    path: tuple[str, ...], value: object, texts: list[str]
) -> None:
    content = request_content()
    place = content
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    message = refusal(content)
    for text in texts:
        assert text in message


def test_everything_wrong_is_named_at_once() -> None:
    message = refusal(request_content(name="", key_bits=100))
    assert "name: " in message
    assert "key_bits: " in message


@pytest.mark.parametrize("field", ["name", "features", "target", "payment", "aggregator"])
def test_a_missing_field_is_named(field: str) -> None:
    content = request_content()
    del content[field]
    assert f"{field}: is missing" in refusal(content)


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_what_is_no_document_is_refused(content: object) -> None:
    assert "request: must hold fields, one" in refusal(content)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"owners": {"minimum": 5, "maximum": 4}}, "owners.minimum must not exceed owners.maximum"),
        ({"owners": {"minimum": 3}}, "must be 4 or more"),
        ({"model": {"intercept": False}}, "start: mean needs model.intercept: true"),
        ({"start": {"start": "weights", "weights": [1, 2]}}, "has 2 values; 3 needed"),
        ({"features": []}, "must have 1 or more items, and has 0"),
        ({"bounds": {"residual_bits": 65}}, "must be 64 or less"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(changes: dict[str, Any], text: str) -> None:
    assert text in refusal(request_content(**changes))


def test_a_target_that_overflows_the_residual_s_slots_is_refused_with_the_remedy() -> None:
    # Otherwise the first round would open as implausible, with deposits and work spent.
    target = {"name": "price", "minimum": 0, "maximum": 2**24}
    fitting = {"start": {"start": "zero"}, "target": target, "scale": "none"}
    message = refusal(request_content(**fitting))
    assert "may need 25 bits; bounds.residual_bits is 24: raise it" in message
    assert any_request(**fitting, bounds={"residual_bits": 25}).bounds.residual_bits == 25
    assert any_request(**{**fitting, "target": {**target, "maximum": 2**24 - 1}}).parameters == 3
    assert any_request(**{**fitting, "scale": "range"}).residual_bits == 10


def test_a_start_that_overflows_the_residual_s_slots_is_refused() -> None:
    start = {"start": "weights", "weights": [2**20, 0, 0]}  # times an age of up to 120
    assert "may need 27 bits" in refusal(request_content(start=start, scale="none"))
    assert any_request(start=start).residual_bits == 21, "between scaled columns there is room for it"


@pytest.mark.parametrize(
    ("start", "weights"),
    [
        ({"start": "zero"}, [0, 0, 0]),
        ({"start": "mean", "value": 7}, [0, 0, 7]),
        ({"start": "weights", "weights": [1, "-2.5", 3]}, [1, Decimal("-2.5"), 3]),
    ],
)
def test_the_first_weights(start: dict[str, Any], weights: list[Decimal]) -> None:
    request = any_request(start=start, scale="none")
    assert list(request.start_weights()) == weights
    assert request.parameters == 3


def test_a_model_is_trained_further_by_its_weights_not_by_a_trainings_number() -> None:
    told = refusal(request_content(start={"start": "training", "training": 3}))
    assert "start: " in told
    assert "must be one of zero, mean, means, weights" in told


@pytest.mark.parametrize(
    ("start", "prediction"),
    [
        ({"start": "zero"}, Decimal(200)),
        ({"start": "mean", "value": 7}, Decimal(7)),
        ({"start": "weights", "weights": [1, "-2.5", 3]}, Decimal(30) - Decimal("62.5") + 3),
    ],
)
def test_scaled_first_weights_predict_what_they_say(start: dict[str, Any], prediction: Decimal) -> None:
    """Of a row with an age of 30 and a bmi of 25; zero stands for the middle of the target's range."""
    request = any_request(start=start)
    *features, target = request.scalings()
    row = [(value - center) / half for value, (center, half) in zip((30, 25), features, strict=True)]
    scaled = sum(w * x for w, x in zip(request.start_weights(), [*row, Decimal(1)], strict=True))
    assert abs(target.center + target.half * scaled - prediction) < Decimal("1e-20")


def test_without_an_intercept_zero_stays_zero() -> None:
    request = any_request(start={"start": "zero"}, model={"intercept": False})
    assert [(scaling.center, scaling.half) for scaling in request.scalings()] == [(0, 120), (0, 80), (0, 400)]


def test_the_step_size_is_written_auto() -> None:
    request = any_request(schedule={"step_size": "auto"})
    assert request.schedule.step_size is None
    assert request.model_dump(mode="json")["schedule"]["step_size"] == "auto"
    assert any_request(schedule={}).hash() == request.hash()


def test_the_terms_are_those_of_the_document() -> None:
    request = any_request(deadlines={"join_s": 60, "reveal_s": 40, "step_s": 10, "chain_s": 30})
    terms = request.terms(KEY_ID)
    assert terms.aggregator == AGGREGATOR
    assert terms.request_hash == keccak(b"deltaml request and key" + request.hash() + KEY_ID)
    assert request.terms(b"o" * 32).request_hash != terms.request_hash
    assert (terms.rounds, terms.min_owners, terms.max_owners) == (20, 4, 64)
    shares = (terms.contribution_bps, terms.participation_bps, terms.validation_bps, terms.aggregation_bps)
    assert sum(shares) == 10_000
    assert (terms.join_seconds, terms.round_seconds) == (60, 3 * (6 * 10 + 30) + 8 * 10)
    assert (terms.reveal_seconds, terms.abandon_bps) == (40, 200)


def test_owners_have_the_time_to_reveal_that_the_chain_may_take_to_confirm_the_close() -> None:
    shortest = {"join_s": 60, "reveal_s": 30, "step_s": 10, "chain_s": 30}
    assert any_request(deadlines=shortest).deadlines.reveal_s == 30
    with pytest.raises(MisuseError, match=r"reveal_s is 29 and deadlines\.chain_s 30: .* twice as much"):
        any_request(deadlines={**shortest, "reveal_s": 29})


OTHERS = "0x" + "33" * 20


def bonded(**bonds: Any) -> dict[str, Any]:
    return request_content(payment={"deposit_wei": str(10**18), "bonds": {"forfeit_to": OTHERS, **bonds}})


def test_bonds_are_part_of_the_document_and_of_the_terms() -> None:
    request = parse_request(bonded(owner="5", buyer=7))
    terms = request.terms(KEY_ID)
    assert (terms.owner_bond, terms.aggregator_bond, terms.buyer_bond) == (5, 0, 7)
    assert (terms.forfeit_to, request.payment.buyer_pays) == (OTHERS, 10**18 + 7)
    told = '"bonds":{"aggregator":"0","buyer":"7","forfeit_to":"' + OTHERS + '","owner":"5"},'
    assert request.canonical().decode() == CANONICAL.replace(
        '"contribution_bps"', told + '"contribution_bps"'
    )


def test_a_request_without_bonds_asks_for_none() -> None:
    request = any_request()
    terms = request.terms(KEY_ID)
    assert (terms.owner_bond, terms.aggregator_bond, terms.buyer_bond) == (0, 0, 0)
    assert (terms.forfeit_to, request.payment.buyer_pays) == (ZERO_ADDRESS, 10**18)


@pytest.mark.parametrize(
    ("bonds", "told"),
    [
        ({}, "every bond is zero: say what owner, aggregator or buyer deposit, or leave bonds out"),
        ({"owner": -1}, "payment.bonds.owner: must be 0 or more (given: '-1')"),
        ({"buyer": str(1 << 128)}, "payment.bonds.buyer: must be below"),
        ({"owner": "1 ETH"}, "payment.bonds.owner: must be a whole number"),
        ({"owner": 1, "forfeit_to": ZERO_ADDRESS}, "forfeit_to is the zero address: name an account"),
        ({"owner": 1, "forfeit_to": "0x12"}, "payment.bonds.forfeit_to"),
        ({"owner": 1, "validator": 1}, "payment.bonds.validator"),
        (
            {"aggregator": 1, "forfeit_to": AGGREGATOR},
            f"is the aggregator, {AGGREGATOR}, which",
        ),
    ],
)
def test_bonds_that_make_no_sense_are_refused_with_words(bonds: dict[str, Any], told: str) -> None:
    assert told in refusal(bonded(**bonds))


def test_an_aggregator_without_a_bond_may_get_what_is_lost() -> None:
    assert parse_request(bonded(owner=1, forfeit_to=AGGREGATOR)).terms(KEY_ID).forfeit_to == AGGREGATOR


def test_a_request_cannot_be_changed() -> None:
    request: Any = any_request()
    with pytest.raises(ValueError, match="frozen"):
        request.name = "other"
    assert isinstance(request, Request)
    assert request.target_range == 2
    assert any_request(scale="none").target_range == 400


def test_texts_for_people_are_part_of_the_hash_only_where_there_are_some() -> None:
    plain, empty = any_request(), any_request(purpose="", licence="")
    assert plain.hash() == empty.hash()
    told = any_request(purpose="To compare hospitals", licence="CC-BY-4.0")
    assert told.hash() != plain.hash()
    assert b'"licence":"CC-BY-4.0"' in told.canonical()
    assert parse_request(yaml.safe_load(told.canonical())) == told
    assert unpack(Request, pack(told)) == told


@pytest.mark.parametrize("text", ["x" * 501, "two\nlines", "\u202ereversed"])
def test_texts_for_people_are_short_and_printable(text: str) -> None:
    assert "purpose" in refusal(request_content(purpose=text))


def test_the_bits_of_a_request_are_worked_out_once_and_anew_for_another(monkeypatch):
    """Every step asks for them, and a request may have a thousand columns."""
    worked_out = []

    def counted(*arguments):
        worked_out.append(arguments)
        return largest_trained_weight(*arguments)

    monkeypatch.setattr(request_module, "largest_trained_weight", counted)
    request = any_request()
    assert len({(request.weight_bits, request.residual_bits) for _ in range(5)}) == 1
    assert len(worked_out) == 1
    longer = request.model_copy(update={"schedule": request.schedule.model_copy(update={"rounds": 1000})})
    assert longer.weight_bits > request.weight_bits
    assert (longer.weight_bits, longer.residual_bits) == (
        type(request).model_validate(dict(longer)).weight_bits,
        type(request).model_validate(dict(longer)).residual_bits,
    )
    assert request == any_request()


def test_a_request_is_checked_once_and_a_changed_one_anew(monkeypatch):
    """It stands in every state of a training, and is asked about whenever one is made."""
    checked = []
    check = request_module.unmet_demand
    monkeypatch.setattr(request_module, "unmet_demand", lambda *given: checked.append(1) or check(*given))
    request = any_request()
    for _ in range(3):
        assert Request.model_validate(request) is request
    assert len(checked) == 1
    without = request.model_copy(update={"features": (request.target,)})
    with pytest.raises(ValidationError, match="named twice"):
        Request.model_validate(without)


def test_a_copy_has_the_scalings_of_its_own_columns() -> None:
    request = any_request()
    before = request.scalings()
    fewer = request.model_copy(update={"features": request.features[:1]})
    assert fewer.scalings() == (before[0], before[-1])
    assert fewer.parameters == 1 + int(request.model.intercept)
    assert request.scalings() == before
