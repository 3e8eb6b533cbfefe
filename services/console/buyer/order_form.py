"""The form of a request: texts that people type, the document that they mean, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml
from pydantic import ValidationError

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError, ProtocolViolation
from protocol.request import Request
from protocol.request_schedule import Schedule
from protocol.request_sections import DEFAULT_KIND, Bounds, Deadlines, ModelKind, Owners
from protocol.roles.buyer.ordering import require_possible
from protocol.terms import NATIVE
from services.common.accents import composed
from services.console.buyer.order_columns import (
    COLUMN_PARTS,
    MOST_COLUMNS,
    column_count,
    column_document,
    columns_of,
    list_document,
    list_text,
    place_in_form,
    rules_text,
)
from services.console.buyer.order_fields import BOND_FIELDS, FIELDS, MONEY_FIELDS, SHARES, input_of
from services.console.buyer.order_problems import impossible, problem_of
from services.console.buyer.order_values import meant, shown
from services.console.presentation.parse import decimal_number
from services.console.presentation.problem import Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a form: the request, or problems by the name of their input ("" for the whole)."""

    request: Request | None = None
    problems: dict[str, Problem] = field(default_factory=dict)


def fresh() -> dict[str, str]:
    """The inputs of a new request, with good defaults."""
    document = {
        "model": ModelKind().model_dump(mode="json"),
        "features": [{}],
        "scale": "range",
        "schedule": Schedule().model_dump(mode="json"),
        "start": {"start": "mean"},
        "owners": Owners().model_dump(),
        "bounds": Bounds().model_dump(),
        "payment": {
            "deposit_wei": str(MARKET_ASSET.whole),
            "contribution_bps": 6500,
            "participation_bps": 500,
            "validation_bps": 2000,
            "aggregation_bps": 1000,
            "abandon_bps": 200,
        },
        "deadlines": Deadlines().model_dump(),
        "key_bits": 3072,
    }
    return values_of(document)


def values_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The inputs that say the same as a document; what it lacks, or has in another shape, stays empty."""
    values = {field.name: shown(_inside(document, field.path), field.kind) for field in FIELDS}
    values["method"] = values["method"] or Schedule().method
    if values["token"] == NATIVE:
        values["token"] = ""
    elif values["token"]:
        values |= {one.name: shown(_inside(document, one.path), "text") for one in MONEY_FIELDS}
    features = _inside(document, ("features",))
    columns = features if isinstance(features, list | tuple) else [{}]
    values["columns"] = str(min(max(len(columns), 1), MOST_COLUMNS))
    for index, column in enumerate(columns[:MOST_COLUMNS]):
        for part in COLUMN_PARTS[:-1]:
            values[f"feature-{index}-{part}"] = shown(_inside(column, (part,)), "text")
        values[f"feature-{index}-rules"] = rules_text(column)
    values["target-rules"] = rules_text(_inside(document, ("target",)))
    values |= {name: list_text(_inside(document, (name,))) for name in ("basis", "targets")}
    start = _inside(document, ("start",)) or {}
    values["start"] = shown(_inside(start, ("start",)), "text") or "zero"
    values["start_value"] = shown(_inside(start, ("value",)), "decimal")
    values["start_weights"] = _numbers_text(_inside(start, ("weights",)))
    values["start_values"] = _numbers_text(_inside(start, ("values",)))
    return values


def _numbers_text(numbers: Any) -> str:
    return ", ".join(shown(one, "text") for one in numbers) if isinstance(numbers, list | tuple) else ""


def completed(document: Mapping[str, Any]) -> dict[str, str]:
    """The inputs that say the same as a document, with a new request's where it says nothing."""
    absent = {field.name for field in FIELDS if _inside(document, field.path) is None}
    return {**values_of(document), **{name: text for name, text in fresh().items() if name in absent}}


def every_input(values: Mapping[str, str]) -> dict[str, str]:
    """All inputs that the form shows, empty where nothing was sent."""
    columns = [f"feature-{index}-{part}" for index in range(column_count(values)) for part in COLUMN_PARTS]
    return {**values_of({}), **dict.fromkeys(columns, ""), **values}


def document_of(values: Mapping[str, str]) -> dict[str, Any]:
    """The document that a form means; what cannot be read stays text, which the request's rules refuse."""
    document: dict[str, Any] = {}
    for entry in FIELDS:
        place = document
        for part in entry.path[:-1]:
            place = place.setdefault(part, {})
        place[entry.path[-1]] = meant(values.get(entry.name, ""), entry.kind)
    document["model"]["kind"] = document["model"]["kind"] or DEFAULT_KIND
    document["schedule"]["method"] = document["schedule"]["method"] or Schedule().method
    _in_units(document["payment"], values)
    document["features"] = tuple(column_document(column) for column in columns_of(values))
    document["targets"] = list_document(values.get("targets", ""))
    target = {part: values.get(f"target-{part}", "") for part in COLUMN_PARTS}
    is_left_out = document["model"]["kind"] == "several_targets" and not any(map(str.strip, target.values()))
    document["target"] = None if is_left_out else column_document(target)
    document["basis"] = list_document(values.get("basis", ""))
    document["start"] = _start(values)
    return document


def _in_units(payment: dict[str, Any], values: Mapping[str, str]) -> None:
    """Amounts of a token are typed in its smallest units: a page cannot know another's decimals."""
    if not payment["token"]:
        del payment["token"]
    elif payment["token"] != NATIVE:
        payment["deposit_wei"] = meant(values.get("deposit", ""), "whole")
        amounts = {one.path[-1]: meant(values.get(one.name, ""), "whole") for one in BOND_FIELDS[:-1]}
        payment["bonds"] |= amounts
    payment["bonds"] = {name: value for name, value in payment["bonds"].items() if value != ""} or None


_PLACES = {"deposit_too_low": "deposit", "columns_not_scaled": "scale", "start_too_large": "start"}
"""The input that is to be changed, by the code of why a request cannot be ordered."""


def check(values: Mapping[str, str]) -> Checked:
    """The request of a form, or everything that keeps it from being ordered."""
    return check_document(document_of(values))


def check_document(document: Mapping[str, Any]) -> Checked:
    """As `check`, for a document; its lists are tuples. Accents are brought into one form (NFC)."""
    try:
        request = Request.model_validate(composed(dict(document)))
    except ValidationError as error:
        problems: dict[str, Problem] = {}
        items = error.errors(include_url=False)
        places = [place_in_form(item) for item in items]
        for item in items:
            here = place_in_form(item)
            if any(here == other[: len(here)] != other for other in places):
                continue  # a tuple whose items are wrong is called too short, too
            problems.setdefault(input_of(here), problem_of(item))
        return Checked(problems=problems)
    try:
        require_possible(request)
    except ProtocolViolation as violation:
        return unorderable(violation, request)
    return Checked(request=request)


def unorderable(violation: ProtocolViolation, request: Request) -> Checked:
    """Nothing to order, and why, beside the input that is to be changed."""
    return Checked(problems={_PLACES.get(violation.code, ""): impossible(violation, request)})


def shares_total(values: Mapping[str, str]) -> Decimal | None:
    """The sum of the payment shares in per cent; None while one of them cannot be read."""
    total = Decimal(0)
    for name in SHARES:
        share = decimal_number(values.get(name, ""))
        if share is None:
            return None
        total += share
    return total


def canonical_yaml(request: Request) -> str:
    """The document as YAML; it has the request's hash when read again."""
    return yaml.safe_dump(request.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def request_from(text: str) -> Request:
    """The request in the canonical JSON that the confirmation carries.

    Raises MisuseError when it is not one, or cannot be ordered.
    """
    try:
        request = Request.model_validate_json(text)
        require_possible(request)
    except (ValidationError, ProtocolViolation):
        raise MisuseError("the confirmed request is not valid: begin again with the form") from None
    return request


def _start(values: Mapping[str, str]) -> dict[str, Any]:
    kind = values.get("start", "zero")
    if kind == "mean":
        return {"start": "mean", "value": meant(values.get("start_value", ""), "decimal")}
    if kind == "weights":
        return {"start": "weights", "weights": _numbers(values.get("start_weights", ""))}
    if kind == "means":
        return {"start": "means", "values": _numbers(values.get("start_values", ""))}
    return {"start": kind}


def _numbers(text: str) -> tuple[Any, ...]:
    parts = text.replace(";", " ").replace(",", " ").split()
    return tuple(meant(part, "decimal") for part in parts)


def _inside(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
