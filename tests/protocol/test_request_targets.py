"""Requests for several targets and several classes: what they hold, and what is refused with a remedy."""

from typing import Any

import pytest

from protocol.errors import MisuseError
from protocol.request_parsing import parse_request
from tests.support.deployment.documents import any_request, request_content
from tests.support.several import CLASSES, FEATURES, LEVELS, TARGETS, document_of, several_request


def refusal(content: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(MisuseError) as error:
        several_request(content, **changes)
    return str(error.value)


def test_a_request_of_one_target_has_the_hash_that_it_had() -> None:
    assert b"targets" not in any_request().canonical()
    assert b'"target":{' in any_request().canonical()


def test_a_document_is_what_its_canonical_form_is_read_as() -> None:
    for content in (TARGETS, CLASSES):
        request = several_request(content)
        assert type(request).model_validate_json(request.canonical()) == request
    assert b'"target":' not in several_request(TARGETS).canonical()


def test_parameters_are_those_of_all_targets() -> None:
    two, three = several_request(TARGETS), several_request(CLASSES)
    assert (two.parameters, two.output_parameters) == (6, 3)
    assert (three.parameters, three.output_parameters) == (9, 3)
    assert [getattr(one, "level", None) for one in three.outputs] == list(LEVELS)
    assert [one.name for one in two.columns] == ["x0", "x1", "rent", "price"]
    assert [one.name for one in three.columns] == ["x0", "x1", "grower"]


def test_weights_to_start_from_are_of_one_target_after_the_other() -> None:
    weights = [str(number) for number in range(6)]
    request = several_request(TARGETS, start={"start": "weights", "weights": weights})
    assert request.start_weights()[:2] == (0, any_weight(request, 1))
    assert "6 needed" in refusal(TARGETS, start={"start": "weights", "weights": weights[:5]})


def any_weight(request: Any, weight: int) -> Any:
    """The second feature's, in the first target's scale."""
    scalings = request.scalings()
    return weight * scalings[1].half / scalings[-1].half


ONE = {"name": "rent", "minimum": 0, "maximum": 9}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (TARGETS, {"targets": [ONE]}, "a list of 2 to 16 columns, in place of target"),
    (TARGETS, {"target": ONE}, "in place of target"),
    (TARGETS, {"targets": [ONE, ONE]}, "'rent' is named twice"),
    (TARGETS, {"model": {"kind": "linear_regression"}}, "target: is missing"),
    (TARGETS, {"model": {"kind": "linear_regression"}, "target": ONE}, "ask for several_targets"),
    (TARGETS, {"scale": "none", "start": {"start": "zero"}}, "several_targets needs scale: range"),
    (TARGETS, {"start": {"start": "mean", "value": "1"}}, "start: {start: means, values: [...]}"),
    (TARGETS, {"start": {"start": "means", "values": ["1", "2", "3"]}}, "2 needed, one for each"),
    (
        TARGETS,
        {"start": {"start": "means", "values": ["1", "6000"]}},
        "no mean of a target between 0 and 5000",
    ),
    (CLASSES, {"start": {"start": "zero"}}, "starts from the share of each"),
    (CLASSES, {"start": {"start": "means", "values": ["0.3", "0.3", "0.1"]}}, "make 1"),
    (CLASSES, {"start": {"start": "means", "values": ["0.5", "0.5", "0"]}}, "above 0"),
    (CLASSES, {"target": {"name": "y", "kind": "boolean"}}, "declare it with kind: categorical"),
    (
        CLASSES,
        {"target": {**CLASSES["target"], "levels": ["a", "b"]}},
        "of two ask for binary_classification",
    ),
    (CLASSES, {"target": {**CLASSES["target"], "reference": "Verdi"}}, "leave out reference and other"),
    (CLASSES, {"target": {**CLASSES["target"], "missing": {"value": "Verdi"}}}, "missing values"),
    (CLASSES, {"model": {"kind": "binary_classification"}}, "ask for several_classes"),
]


@pytest.mark.parametrize(("content", "changes", "words"), REFUSED)
def test_what_does_not_fit_together_is_refused_with_the_remedy(
    content: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(content, **changes)


def test_means_are_for_several_targets() -> None:
    content = request_content(start={"start": "means", "values": ["1", "2"]})
    with pytest.raises(MisuseError, match=r"start: \{start: mean, value"):
        parse_request(content)


def test_more_weights_than_a_model_may_have_are_refused_with_the_remedy() -> None:
    levels = [f"level {number}" for number in range(64)]
    many = {
        "features": [{"name": f"x{number}", "minimum": 0, "maximum": 1} for number in range(70)],
        "target": {"name": "grower", "kind": "categorical", "levels": levels},
        "start": {"start": "means", "values": ["0.015625"] * 64},
    }
    said = refusal(CLASSES, **many)
    assert "64 targets with 71 weights each make 4544, of 4096 at most" in said
    assert "fewer" in said
    assert several_request(CLASSES, **{**many, "features": FEATURES}).parameters == 64 * 3


def test_one_target_may_be_none_in_a_document_of_several() -> None:
    assert several_request(TARGETS).target is None
    assert document_of(CLASSES)["target"]["kind"] == "categorical"
