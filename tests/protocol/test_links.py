"""Links of generalized linear models, and the bounds that the widths of slots are made of."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.data_set import card_of
from protocol.errors import MisuseError
from protocol.learning.glm.families import Family
from protocol.learning.kinds.registry import KINDS
from protocol.learning.statistic import StatisticBuilder
from protocol.links import LINKS, link_of
from protocol.requirements import mismatches
from tests.support.generalized import CASES, request_of
from tests.support.hazards import NAMES, hazard_request, hazard_rows, statistic_of_hazards

COUNTS = {"name": "y", "minimum": 0, "maximum": 40}


@pytest.mark.parametrize("kind", LINKS)
@given(
    predictor=st.floats(-1e6, 1e6),
    place=st.floats(0, 1),
    mean=st.sampled_from(["0.02", "0.5", "0.9"]),
)
def test_no_row_is_weighted_beyond_what_the_widths_have_room_for(
    kind: str, predictor: float, place: float, mean: str
) -> None:
    """A row that could be would overflow a slot, and be read as another number by all parties."""
    request = request_of(
        kind, start={"start": "mean", "value": mean} if kind[0] == "l" else CASES[kind].start
    )
    low, high = (float(end) for end in request.target.limits)
    truth = np.array([round(place) if kind[0] == "l" else low + place * (high - low)])
    root, response = Family(request).weighted(truth, np.array([predictor]))
    link = link_of(kind, request.model.dispersion)
    assert link is not None
    assert 0 < root[0] ** 2 <= float(link.largest_weight(request.target)) * (1 + 1e-12)
    assert abs(response[0]) <= float(request.scalings()[-1].half)


@pytest.mark.parametrize("kind", LINKS)
def test_a_training_starts_from_the_predictor_of_the_mean(kind: str) -> None:
    request = request_of(kind)
    *slopes, intercept = request.start_weights()
    assert not any(slopes)
    predictor = np.array([float(intercept * request.scalings()[-1].half)])
    assert KINDS[kind].expected(predictor)[0] == pytest.approx(float(request.start.value))  # type: ignore[union-attr]
    assert request.target_range == 2


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("logistic_regression", {"target": COUNTS}, "logistic_regression predicts a column of 0 and 1"),
        ("poisson_regression", {"target": {**COUNTS, "minimum": -1}}, "counts: declare it with minimum: 0"),
        ("poisson_regression", {"target": {**COUNTS, "maximum": 10**7}}, "a maximum from 1 to 1000000"),
        ("gamma_regression", {"target": COUNTS}, "amounts above zero: declare it with a minimum above 0"),
        ("poisson_regression", {"start": {"start": "zero"}}, "starts from the target's mean"),
        ("poisson_regression", {"start": {"start": "mean", "value": 0}}, "starts from a mean between 0.01"),
        (
            "logistic_regression",
            {"start": {"start": "mean", "value": "0.9999999"}},
            "a mean between 0.000001 and 0.999999",
        ),
        ("poisson_regression", {"scale": "none"}, "poisson_regression needs scale: range"),
        ("gamma_regression", {"intercept": False}, "needs model.intercept: true"),
        (
            "negative_binomial_regression",
            {"model": {"kind": "negative_binomial_regression"}},
            "negative_binomial_regression needs model.dispersion",
        ),
        (
            "negative_binomial_regression",
            {"model": {"kind": "negative_binomial_regression", "dispersion": "0.0009"}},
            "dispersion",
        ),
        (
            "poisson_regression",
            {"model": {"kind": "poisson_regression", "dispersion": 1}},
            "model.dispersion is for counts that vary more than Poisson's, not for poisson_regression",
        ),
    ],
)
def test_what_does_not_suit_a_family_is_named_with_the_remedy(
    kind: str, changes: dict[str, Any], says: str
) -> None:
    """Without it, predictors would have no bound, or no logarithm, after the deposit is paid."""
    if "intercept" in changes:
        changes = {"model": {"kind": kind, "intercept": False}, "start": {"start": "zero"}}
    with pytest.raises(MisuseError) as refusal:
        request_of(kind, **changes)
    assert says in str(refusal.value)


def test_a_larger_dispersion_lowers_the_weight_of_large_means_and_so_the_reach() -> None:
    kind = "negative_binomial_regression"
    reaches = [
        request_of(kind, model={"kind": kind, "dispersion": alpha}).scalings()[-1].half
        for alpha in ("0.001", "0.5", "1000")
    ]
    assert reaches == sorted(reaches, reverse=True)
    assert reaches[0] > reaches[-1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": {"kind": "cox_regression"}}, "cox_regression needs model.event"),
        (
            {"model": {"kind": "linear_regression", "event": "died"}},
            "model.event is for times until an event",
        ),
        ({"model": {"kind": "cox_regression", "event": "a"}}, "column 'a' is named twice"),
        ({"start": {"start": "mean", "value": 3}}, "starts from hazards that are all alike"),
        ({"start": {"start": "weights", "weights": [0, 0, 0]}}, "starts from hazards that are all alike"),
        ({"target": {"name": "months", "minimum": -1, "maximum": 9}}, "the order of times: declare it"),
        ({"scale": "none"}, "cox_regression needs scale: range"),
    ],
)
def test_what_does_not_suit_hazards_is_named_with_the_remedy(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(MisuseError) as refusal:
        hazard_request(**changes)
    assert says in str(refusal.value)


def test_owners_must_have_the_events_as_truth_values() -> None:
    """An owner whose column says something else would fit what nobody asked for."""
    request, rows = hazard_request(), hazard_rows(40)
    assert [column.name for column in request.columns] == ["a", "b", "months", "died"]
    assert not mismatches(request, card_of("rows", statistic_of_hazards(rows), exact=True))
    rows[0, 3] = 0.5
    builder = StatisticBuilder(NAMES)
    builder.add(rows)
    [reason] = mismatches(request, card_of("rows", builder.finish(), exact=True))
    assert "'died'" in str(reason)


def test_a_document_without_a_dispersion_has_the_hash_of_those_that_know_none() -> None:
    assert b"dispersion" not in request_of("poisson_regression").canonical()
    assert b"event" not in request_of("poisson_regression").canonical()
    assert b'"dispersion":"0.5"' in request_of("negative_binomial_regression").canonical()


def test_slots_are_wider_for_larger_counts() -> None:
    narrow, wide = (
        request_of("poisson_regression", target={**COUNTS, "maximum": most}) for most in (40, 10**6)
    )
    assert wide.residual_bits > narrow.residual_bits > request_of("gamma_regression").residual_bits
    assert wide.scalings()[-1].half > 1000 * Decimal(13)
