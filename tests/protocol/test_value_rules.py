"""What people are told of a wrong value: nothing of the library that found it, and always what would do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, create_model

from protocol.errors import MisuseError
from protocol.messages.examples import any_card
from protocol.owner_policy import OwnerPolicy
from protocol.request_parsing import as_tuples
from protocol.value_rules import rule_of
from services.common.documents import load_request, read_yaml
from services.common.errors import ConfigurationError
from services.common.problems import lines_of, request_in
from services.config.daemons import KINDS
from services.data.declarations import parse_card
from services.data.model_file import read_model

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(
    r"Input should|[Ss]hould (be|have|match)|valid (tuple|list|string|integer|boolean|dictionary|number|path)"
    r"|after validation|pydantic|https?://errors|type=|_type|_parsing|pattern|Tuple|List|String|instance of"
)
WRONG: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "nobody",
    "x" * 3000,
    [],
    ["x", 1] * 600,
    {},
    {"a": 1},
    b"b",
]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of a document stands."""
    yield path
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list | tuple):
        items = enumerate(document)
    for name, value in items:
        yield from places(value, (*path, name))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place."""
    if not path:
        return value
    if isinstance(document, dict):
        return {**document, path[0]: changed(document[path[0]], path[1:], value)}
    return [changed(one, path[1:], value) if place == path[0] else one for place, one in enumerate(document)]


def wrong(document: Any) -> list[Any]:
    """Each value in turn replaced by each of another kind, but the document itself."""
    return [changed(document, path, value) for path in places(document) if path for value in WRONG]


def plain(model: BaseModel) -> Any:
    return json.loads(model.model_dump_json())


REQUEST = plain(load_request(ROOT / "REQUEST.yaml")) | {
    "basis": [{"kind": "spline", "column": "bmi", "knots": ["0.1", "0.2"]}],
    "inference": True,
    "purpose": "research",
}
SEVERAL = REQUEST | {
    "model": {"kind": "several_targets", "dispersion": "0.5", "event": "died"},
    "targets": [REQUEST["target"], {"name": "b", "kind": "boolean"}],
    "target": {"name": "c", "kind": "categorical", "levels": ["a", "b"]},
    "start": {"start": "means", "values": ["1", "2"]},
}


@pytest.mark.parametrize("document", [REQUEST, SEVERAL], ids=["a request", "of several targets"])
def test_a_wrong_value_in_a_request_is_told_in_plain_words(document):
    told = set()
    for one in wrong(document):
        try:
            request_in(one)
        except MisuseError as error:
            told |= set(str(error).split("\n  ")[1:])
    assert len(told) > 100
    assert not [line for line in told if FOREIGN.search(line)]
    assert all(": " in line for line in told), "every line names its field"


def test_a_wrong_value_in_a_card_or_a_policy_is_told_in_plain_words():
    told = set()
    for one in wrong(plain(any_card())):
        try:
            parse_card(one)
        except MisuseError as error:
            told |= set(str(error).split("\n  ")[1:])
    policy = plain(OwnerPolicy()) | {"model_kinds": ["linear_regression"], "columns": ["a"]}
    for one in wrong(policy):
        try:
            OwnerPolicy.model_validate(as_tuples(one))
        except ValidationError as error:
            told |= set(lines_of(error, OwnerPolicy))
    assert len(told) > 20
    assert not [line for line in told if FOREIGN.search(line)]


@pytest.mark.parametrize("daemon", sorted(KINDS))
def test_a_wrong_value_in_a_configuration_is_told_in_plain_words(daemon):
    document = read_yaml(ROOT / "deploy" / "config" / f"{daemon}.yaml")
    told = set()
    for one in wrong(document):
        try:
            KINDS[daemon].model_validate(one, strict=False, context={"folder": ROOT})
        except ValidationError as error:
            told |= set(lines_of(error, KINDS[daemon]))
    assert len(told) > 20
    assert not [line for line in told if FOREIGN.search(line)]


def test_a_damaged_model_file_is_told_in_plain_words(tmp_path):
    path = tmp_path / "model.json"
    for content in ("{}", "[]", '{"name": 1}', '{"weights": "x"}', "nothing"):
        path.write_text(content)
        path.chmod(0o600)
        with pytest.raises(ConfigurationError) as refused:
            read_model(path)
        assert not FOREIGN.search(str(refused.value)), str(refused.value)


@given(st.integers(min_value=-50, max_value=50))
def test_the_bound_that_is_broken_is_named(bound):
    model = create_model("Bounded", number=(int, Field(ge=bound)))
    with pytest.raises(ValidationError) as refused:
        model(number=bound - 1)
    assert rule_of(refused.value.errors()[0]) == f"must be {bound} or more"
