"""What people are told of a request that is not valid: the field, what was given, what was probably meant."""

from pathlib import Path
from typing import Any

import pytest

from protocol.errors import MisuseError
from protocol.messages.examples import any_card
from protocol.request_kinds import DEMANDS
from services.bus.broker.provisioning import load_plan
from services.common.errors import ConfigurationError
from services.common.problems import request_in
from services.data.declarations import parse_card
from tests.support.deployment.documents import any_request


def document(**changes: Any) -> dict[str, Any]:
    return {**any_request().model_dump(mode="json"), **changes}


def schedule(**changes: Any) -> dict[str, Any]:
    return {"schedule": {"rounds": 2, "local_steps": 5, **changes}}


FEATURE = {"name": "area", "minimum": 1, "maximum": 9}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (schedule(tolerence=0), "schedule.tolerence: unknown field; did you mean 'tolerance'?"),
        ({"schedul": {}}, "schedul: unknown field; did you mean 'schedule'?"),
        (
            {"features": [{**FEATURE, "missin": "refuse"}]},
            "features.0.missin: unknown field; did you mean 'missing'?",
        ),
        (schedule(rounds=0), "schedule.rounds: must be 1 or more (given: '0')"),
        (schedule(rounds="three"), "schedule.rounds: must be a whole number (given: 'three')"),
        ({"features": [{"name": "area", "minimum": 1}]}, "features.0.maximum: is missing"),
        (
            {"start": {"start": "men"}},
            "start: 'men' is not known here; did you mean 'mean'? There are zero, mean, means, weights",
        ),
        ({"start": {"begin": "mean"}}, "start: the field 'start' is missing, which says what kind it is"),
        (
            {"model": {"kind": "linear-regression"}},
            "model.kind: 'linear-regression' is not known here; did you mean 'linear_regression'? There are "
            + ", ".join(DEMANDS),
        ),
        ({"features": []}, "features: must have 1 or more items, and has 0"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_what_was_meant(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(MisuseError) as refused:
        request_in(document(**changes))
    assert line in str(refused.value).split("\n  ")


def test_an_unknown_field_unlike_any_other_is_told_those_there_are() -> None:
    with pytest.raises(MisuseError, match=r"owners\.xyz: unknown field; known are minimum, maximum"):
        request_in(document(owners={"minimum": 4, "maximum": 8, "xyz": 1}))


def test_a_list_of_wrong_items_is_not_told_to_be_empty_as_well() -> None:
    with pytest.raises(MisuseError) as refused:
        request_in(document(features=[{**FEATURE, "minimun": 1}]))
    assert len(str(refused.value).split("\n")) == 2


def test_a_card_and_a_brokers_document_are_answered_alike(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"lisence: unknown field; did you mean 'licence'\?"):
        parse_card({**any_card().model_dump(mode="json"), "lisence": "CC0"})
    file = tmp_path / "broker.yaml"
    file.write_text("managment:\n  url: http://127.0.0.1:15672\nvhost: deltaml\n")
    with pytest.raises(ConfigurationError, match=r"managment: unknown key; did you mean 'management'\?"):
        load_plan(file)
