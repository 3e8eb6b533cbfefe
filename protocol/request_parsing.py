"""From plain YAML or JSON values to a request, or to words on everything that is wrong with them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from protocol.errors import MisuseError
from protocol.request import Request
from protocol.value_rules import rule_of


def parse_request(content: Mapping[str, Any], line: Callable[[ErrorDetails], str] | None = None) -> Request:
    """The request in plain YAML or JSON values.

    Raises MisuseError naming every field that is wrong, its rule and what was given; `line` has other words.
    """
    try:
        return Request.model_validate(as_tuples(content))
    except RecursionError:
        raise MisuseError(
            "the request is not valid: lists within lists, deeper than any request is"
        ) from None
    except ValidationError as error:
        lines = [(line or _problem)(item) for item in own_errors(error.errors(include_url=False))]
        raise MisuseError("the request is not valid:\n  " + "\n  ".join(lines)) from None


def own_errors(items: list[ErrorDetails]) -> list[ErrorDetails]:
    """Errors without what only follows from another: a list is too short for want of items that are wrong."""
    places = [item["loc"] for item in items]
    return [
        item
        for item in items
        if item["type"] != "too_short"
        or not any(place != item["loc"] and place[: len(item["loc"])] == item["loc"] for place in places)
    ]


def _problem(item: ErrorDetails) -> str:
    place = ".".join(map(str, place_of(item))) or "request"
    given = item["input"]
    plain = isinstance(given, str | int | float | Decimal)
    return f"{place}: {rule_of(item)}" + (f" (given: {str(given)[:60]!r})" if plain else "")


def place_of(item: ErrorDetails) -> tuple[int | str, ...]:
    """Where in the document an error is; a tag that says which kind of a union was tried is no place."""
    return tuple(part for part in item["loc"] if not str(part).startswith("="))


def as_tuples(value: Any) -> Any:
    """The lists of YAML and JSON, at any depth, as the tuples that a request is made of."""
    if isinstance(value, list | tuple):
        return tuple(as_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return value
