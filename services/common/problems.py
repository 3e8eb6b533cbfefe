"""What is wrong with a document that a person wrote, a line for each key, with what was probably meant."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from protocol.request import Request
from protocol.request_parsing import as_tuples, own_errors, parse_request, place_of
from protocol.value_rules import rule_of
from services.common.near_words import choice_text, meant_text


def lines_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """The lines for a document that does not fit `model`; no value of the document is in them."""
    return [_line(model, item) for item in own_errors(error.errors())]


def request_in(content: Mapping[str, Any]) -> Request:
    """The request in plain YAML or JSON values.

    Raises MisuseError naming every field that is wrong, its rule, what was given and what was probably meant.
    """
    return parse_request(as_tuples(content), lambda item: told(Request, item, "request"))


def told(model: type[BaseModel], item: ErrorDetails, whole: str) -> str:
    """The line for an error in what a person wrote, for `model`, with what was given; `whole` is its name."""
    name = ".".join(map(str, place_of(item))) or whole
    context = item.get("ctx", {})
    match item["type"]:
        case "extra_forbidden":
            return f"{name}: unknown field; {_meant(model, item['loc'])}"
        case "missing":
            return f"{name}: is missing"
        case "union_tag_invalid":
            tags = context["expected_tags"]
            return (
                f"{name}: {context['tag']!r} is not known here; {choice_text(context['tag'], _words(tags))}"
            )
        case "union_tag_not_found":
            return f"{name}: the field {context['discriminator']} is missing, which says what kind it is"
        case "literal_error":
            given = f"{str(item['input'])[:60]!r} is not known here"
            return f"{name}: {given}; {choice_text(str(item['input']), _words(context['expected']))}"
    is_plain = isinstance(item["input"], str | int | float | Decimal)
    return f"{name}: {rule_of(item)}" + (f" (given: {str(item['input'])[:60]!r})" if is_plain else "")


def _words(listed: str) -> list[str]:
    """The words of pydantic's list of what it expects: 'a', 'b' or 'c'."""
    return listed.replace(" or ", ", ").replace("'", "").split(", ")


def _line(model: type[BaseModel], item: ErrorDetails) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{name}: {rule_of(item)}"
    return f"{name}: unknown key; {_meant(model, item['loc'])}"


def _meant(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """The nearest of the keys that are known at the place of an unknown one, or all of them."""
    return meant_text(str(location[-1]), _fields_at(model, location[:-1]))


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The fields of all models that may stand at a place."""
    models = [model]
    for part in location:
        # A number is the place in a tuple, whose items have one type; a tag says which of a union was tried.
        if isinstance(part, str) and any(part in one.model_fields for one in models):
            kinds = (one.model_fields[part].annotation for one in models if part in one.model_fields)
            models = [found for kind in kinds for found in _models_in(kind)]
    return list(dict.fromkeys(name for one in models for name in one.model_fields))


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
