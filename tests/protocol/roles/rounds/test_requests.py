"""Requests whose rounds cannot be checked are refused by everybody before anything is sent."""

from types import SimpleNamespace
from typing import Any

import pytest

from protocol.errors import MisuseError, ProtocolViolation
from protocol.request_parsing import parse_request
from protocol.roles.aggregator import request_check
from protocol.roles.buyer import ordering
from protocol.roles.rounds.requests import check_checkable, require_checkable
from tests.support.roles.checked_markets import ROLES, checked_request
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import body_of, small_data, small_market
from tests.support.several import CLASSES, TARGETS, several_request

LARGE = {"start": "weights", "weights": ["30", "20", "0"]}


def refused(**changes: Any) -> str:
    request = parse_request({**checked_request(**changes), "aggregator": "0x" + "aa" * 20})
    with pytest.raises(ProtocolViolation) as caught:
        require_checkable(request)
    return caught.value.code


def test_a_request_of_scaled_columns_from_zero_is_accepted() -> None:
    require_checkable(parse_request({**checked_request(), "aggregator": "0x" + "aa" * 20}))


def test_columns_without_a_scale_are_refused() -> None:
    """What an owner commits to is bounded by ranges of [−1, 1]."""
    assert refused(scale="none") == "columns_not_scaled"


def test_a_start_of_large_weights_is_refused() -> None:
    """With θ_j = B^j the first error would have every product of the members' rows as a digit of its own.

    A weight of a feature ten wide is a tenth as large in declared units, where the target is a hundred wide.
    """
    assert refused(start=LARGE) == "start_too_large"
    small = checked_request(start={"start": "weights", "weights": ["20", "-10", "0"]})
    require_checkable(parse_request({**small, "aggregator": "0x" + "aa" * 20}))


@pytest.mark.parametrize("classes", [3, 10, 64])
@pytest.mark.parametrize("largest", [None, "0.9"])
def test_as_many_classes_as_a_request_may_have_are_accepted(classes: int, largest: str | None) -> None:
    """With every class rare, or one common: each starts near the end of its range."""
    shares = [f"{1 / classes:.6f}"] * classes
    if largest is not None:
        shares = [largest, *[f"{0.1 / (classes - 1):.6f}"] * (classes - 1)]
    target = {**CLASSES["target"], "levels": [f"level {place}" for place in range(classes)]}
    start = {"start": "means", "values": shares}
    require_checkable(several_request(CLASSES, target=target, start=start, key_bits=3072))


@pytest.mark.parametrize("targets", [2, 16])
def test_as_many_targets_as_a_request_may_have_are_accepted(targets: int) -> None:
    """Means at the ends of their ranges, and weights up to the bound of each."""
    named = [{"name": f"y{place}", "minimum": -10, "maximum": 10} for place in range(targets)]
    for start in (
        {"start": "means", "values": ["-10"] * targets},
        {"start": "weights", "weights": ["2", "-2", "0"] * targets},
    ):
        require_checkable(several_request(TARGETS, targets=named, start=start, key_bits=3072))


def test_weights_of_one_target_above_the_bound_are_refused_whatever_the_others_are() -> None:
    named = [{"name": f"y{place}", "minimum": -10, "maximum": 10} for place in range(3)]
    weights = ["0"] * 6 + ["2", "-2.001", "0"]
    request = several_request(TARGETS, targets=named, start={"start": "weights", "weights": weights})
    with pytest.raises(ProtocolViolation, match="start_too_large"):
        require_checkable(request)


def test_a_key_without_room_for_three_products_is_refused() -> None:
    assert refused(key_bits=768) == "widths_do_not_fit"


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"scale": "none"}, "rounds are checked between scaled columns alone; set scale: range"),
        ({"start": LARGE}, "start from zero, .*or widen the target's range"),
        ({"key_bits": 768}, r"key of 768; .*take a key of \d+ bits or more"),
    ],
)
def test_people_are_told_the_remedy(changes: dict[str, Any], remedy: str) -> None:
    request = parse_request({**checked_request(**changes), "aggregator": "0x" + "aa" * 20})
    with pytest.raises(MisuseError, match=rf"these rounds cannot be checked: .*{remedy}"):
        check_checkable(request)


def test_the_key_that_people_are_told_fits_and_none_shorter_does() -> None:
    request = parse_request({**checked_request(key_bits=512), "aggregator": "0x" + "aa" * 20})
    with pytest.raises(MisuseError) as told:
        check_checkable(request)
    bits = int(str(told.value).partition("take a key of ")[2].split()[0])
    check_checkable(request.model_copy(update={"key_bits": bits}))
    assert refused(key_bits=bits - 64) == "widths_do_not_fit"


ASKING = {"model_buyer": ordering, "federated_aggregator": request_check}
"""Where a party asks whether a request can be checked."""


def careless(monkeypatch: pytest.MonkeyPatch, *roles: str) -> dict[str, Any]:
    """The roles, of which some do not ask; their steps are not those that other tests remember."""
    for role in roles:
        monkeypatch.setattr(ASKING[role], "require_checkable", lambda _request: None)
    return {**ROLES, **{role: SimpleNamespace(**vars(ROLES[role])) for role in roles}}


def market_of(roles: dict[str, Any]) -> PureMarket:
    return small_market(checked_request(start=LARGE), small_data(owners=4), roles=roles)


def test_the_buyer_pays_no_deposit_for_it() -> None:
    with pytest.raises(ProtocolViolation, match="start_too_large"):
        market_of(ROLES)


def test_the_aggregator_answers_why(monkeypatch: pytest.MonkeyPatch) -> None:
    market = market_of(careless(monkeypatch, "model_buyer"))
    market.finish()
    [answer] = market.sent("request_answer")
    assert (body_of(answer).accepted, body_of(answer).code) == (False, "start_too_large")
    assert market.contract.status == "cancelled"
    assert not market.sent("invitation")


def test_no_owner_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of such a start would be its rows: it does not take the aggregator's word."""
    market = market_of(careless(monkeypatch, "model_buyer", "federated_aggregator"))
    market.finish()
    assert market.sent("invitation")
    assert {one.code for owner in market.owners for one in owner.violations} == {"start_too_large"}
    assert not market.contract.seats
