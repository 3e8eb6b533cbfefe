"""When a request may ask for standard errors, and that one which does not is the document that it was."""

from typing import Any

import pytest

from protocol.errors import MisuseError
from protocol.inference_terms import (
    FEWEST_OWNERS,
    FEWEST_TRAINERS,
    KINDS,
    MOST_PARAMETERS,
    MOST_POOLED_BYTES,
    opened_entries,
)
from protocol.links import FITTED, LINKS
from protocol.marketplace import validator_count
from protocol.request import Request
from protocol.roles.engine.early import HELD_BYTES
from tests.support.deployment.documents import any_request
from tests.support.generalized import document_of
from tests.support.hazards import hazard_request

OWNERS = {"minimum": 7, "maximum": 9}


def test_a_document_without_it_keeps_its_hash() -> None:
    plain = any_request()
    assert b"inference" not in plain.canonical()
    assert any_request(inference=False).hash() == plain.hash()
    asking = any_request(inference=True, owners=OWNERS)
    assert b'"inference":true' in asking.canonical()
    assert asking.hash() != any_request(owners=OWNERS).hash()
    assert Request.model_validate_json(asking.canonical()) == asking


def test_the_fewest_owners_are_those_of_whom_five_train() -> None:
    assert (FEWEST_OWNERS, FEWEST_TRAINERS) == (7, 5)
    assert FEWEST_OWNERS - 1 - validator_count(FEWEST_OWNERS - 1) < FEWEST_TRAINERS
    for owners in range(FEWEST_OWNERS, 257):
        assert owners - validator_count(owners) >= FEWEST_TRAINERS


def test_every_kind_of_estimate_may_ask() -> None:
    assert set(KINDS) == {"linear_regression", *FITTED}
    for kind in LINKS:
        assert any_request(**document_of(kind, inference=True, owners=OWNERS)).inference
    hazards = hazard_request(inference=True, owners=OWNERS)
    assert (hazards.inference, hazards.parameters, hazards.estimated) == (True, 3, 2)


@pytest.mark.parametrize("minimum", [4, 5, 6])
def test_of_too_few_owners_nothing_can_be_asked(minimum: int) -> None:
    refused("set owners.minimum to 7 or more", owners={"minimum": minimum, "maximum": 64})


def refused(why: str, **changes: Any) -> None:
    with pytest.raises(MisuseError, match=why):
        any_request(**{"owners": OWNERS, "inference": True, **changes})


def test_what_has_no_standard_errors_is_refused_with_the_reason() -> None:
    refused(
        "binary_classification has no",
        model={"kind": "binary_classification"},
        target={"name": "ill", "kind": "boolean"},
        start={"start": "mean", "value": "0.5"},
    )
    refused("needs scale: range", scale="none")
    refused("model.l2 is 0.001; above 0.00001", model={"l2": "0.001"})
    many = [{"name": f"x{place}", "minimum": 0, "maximum": 1} for place in range(MOST_PARAMETERS)]
    refused("there are 513 weights; at most 512", features=many)


def test_shares_that_a_checker_has_no_room_for_are_refused() -> None:
    assert 2 * MOST_POOLED_BYTES <= HELD_BYTES
    columns = [{"name": f"x{place}", "minimum": 0, "maximum": 1} for place in range(255)]
    assert any_request(inference=True, features=columns, owners={"minimum": 7, "maximum": 120}).inference
    refused("lower owners.maximum", features=columns, owners={"minimum": 7, "maximum": 256})


def test_what_is_opened_is_half_of_a_symmetric_matrix() -> None:
    assert [opened_entries(p) for p in (1, 2, 11)] == [1, 3, 66]
