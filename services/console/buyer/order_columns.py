"""The columns in a request's form: three inputs for a range of numbers, one for every other kind and rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic_core import ErrorDetails

from protocol.request_parsing import as_tuples, place_of
from services.common.documents import parse_yaml
from services.common.errors import ConfigurationError
from services.console.presentation.parse import whole_number, with_point

MOST_COLUMNS = 256
"""In the form; a YAML file may have as many as a request may."""

COLUMN_PARTS = ("name", "minimum", "maximum", "rules")
"""The inputs of a column; `rules` are its other fields as a document has them, "kind: boolean, ..."."""

_WIDEST = 10**6


def column_count(values: Mapping[str, str]) -> int:
    """How many features the form has."""
    return min(max(whole_number(values.get("columns", ""), 10**5) or 1, 1), MOST_COLUMNS)


def with_column(values: Mapping[str, str]) -> dict[str, str]:
    """The form with one more feature, with the range of the last one."""
    columns = columns_of(values)
    return _with_columns(values, [*columns, {**columns[-1], "name": "", "rules": ""}][:MOST_COLUMNS])


def without_column(values: Mapping[str, str], gone: int) -> dict[str, str]:
    """The form without a feature; the last one stays."""
    columns = columns_of(values)
    return _with_columns(values, [column for index, column in enumerate(columns) if index != gone] or columns)


def columns_of(values: Mapping[str, str]) -> list[dict[str, str]]:
    """The features by part."""
    return [
        {part: values.get(f"feature-{index}-{part}", "") for part in COLUMN_PARTS}
        for index in range(column_count(values))
    ]


def _with_columns(values: Mapping[str, str], columns: Sequence[Mapping[str, str]]) -> dict[str, str]:
    kept = {name: text for name, text in values.items() if not name.startswith("feature-")}
    for index, column in enumerate(columns):
        kept |= {f"feature-{index}-{part}": text for part, text in column.items()}
    return {**kept, "columns": str(len(columns))}


def rules_text(column: Any) -> str:
    """What a document says of a column beside name and range; empty for plain numbers."""
    if not isinstance(column, Mapping):
        return ""
    rules = {str(name): value for name, value in column.items() if name not in COLUMN_PARTS}
    if not rules or rules == {"kind": "numeric"}:
        return ""
    text = yaml.safe_dump(
        _as_lists(rules), default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDEST
    )
    return text.strip()[1:-1]


def list_text(items: Any) -> str:
    """A document's curves, or its targets, as the form has them; empty where there are none."""
    if not isinstance(items, list | tuple) or not items:
        return ""
    text = yaml.safe_dump(
        _as_lists(items), default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDEST
    )
    return text.strip()[1:-1]


def list_document(text: str) -> Any:
    """What such a text means; one that cannot be read stays text, which is no list of a request."""
    try:
        document = parse_yaml(f"{{items: [{text}]}}".encode(), "list")
    except ConfigurationError:
        return text
    return as_tuples(document["items"]) if set(document) == {"items"} else text


def _as_lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_lists(item) for item in value]
    return {name: _as_lists(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def column_document(column: Mapping[str, str]) -> dict[str, Any]:
    """What a column's inputs mean; rules that cannot be read stay text, which no column has a field for.

    Kinds without a range have none where its inputs are empty.
    """
    rules = _rules(column["rules"].strip())
    plain = rules.get("kind", "numeric") == "numeric"
    ends = {name: column[name].strip() for name in ("minimum", "maximum")}
    written = {name: with_point(text) if plain else text for name, text in ends.items() if text or plain}
    return {**rules, "name": column["name"].strip(), **written}


def _rules(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        rules = parse_yaml(f"{{{text}}}".encode(), "rules")
    except ConfigurationError:
        return {"rules": text}
    return {"rules": text} if set(rules) & set(COLUMN_PARTS) else as_tuples(rules)


def place_in_form(item: ErrorDetails) -> tuple[int | str, ...]:
    """Of an error in the document; a kind that there is not is wrong where it stands."""
    place = place_of(item)
    return (*place, "kind") if item["type"] in ("column_kind", "basis_kind") else place


def part_of(location: tuple[int | str, ...], whole: str) -> str:
    """The input of a column that an error within it is about; `whole` for one about all of it."""
    if not location:
        return whole
    return str(location[0]) if location[0] in COLUMN_PARTS else "rules"
