"""What a kind of model asks of the rest of a request."""

from typing import Any, get_args

import pytest

from protocol.errors import MisuseError
from protocol.request_kinds import DEMANDS
from protocol.request_sections import ModelKind
from tests.support.deployment.documents import any_request

CLASSIFICATION: dict[str, Any] = {
    "model": {"kind": "binary_classification"},
    "target": {"name": "ill", "kind": "boolean"},
    "start": {"start": "mean", "value": "0.3"},
}


def test_every_kind_says_what_it_asks() -> None:
    assert set(DEMANDS) == set(get_args(ModelKind.model_fields["kind"].annotation))


def test_a_classification_has_a_hash_of_its_own() -> None:
    classification = any_request(**CLASSIFICATION)
    regression = any_request(**{**CLASSIFICATION, "model": {}})
    assert classification.model.kind == "binary_classification"
    assert classification.hash() != regression.hash()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"target": {"name": "ill", "minimum": 0, "maximum": 1}},
            "predicts a column of 0 and 1, and 'ill' is numeric: declare it with kind: boolean",
        ),
        (
            {"model": {"kind": "binary_classification", "intercept": False}, "start": {"start": "zero"}},
            "binary_classification needs model.intercept: true",
        ),
        ({"start": {"start": "zero"}}, "starts from the share of ones: use start: {start: mean"),
        ({"start": {"start": "weights", "weights": [0, 0, 0]}}, "starts from the share of ones"),
    ],
)
def test_what_is_missing_is_named_with_the_remedy(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(MisuseError) as refusal:
        any_request(**{**CLASSIFICATION, **changes})
    assert says in str(refusal.value)
