"""What is wrong with a value that a person wrote, in plain words: what it must be, and what it is."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

_FIELDS = "must hold fields, one `name: value` a line"
_LIST = "must be a list, like [a, b]"
_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_YES = "must be true or false"

_BY_TYPE: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "unknown field",
    "none_required": "must be left empty",
    "string_type": "must be a text; put it in quotes",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "is_instance_of": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _YES,
    "bool_parsing": _YES,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _FIELDS,
    "mapping_type": _FIELDS,
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "dataclass_type": _FIELDS,
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be below {lt}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "path_type": "must be the path of a file or a folder",
}
"""By pydantic's name of the error, with the places of its context."""

_BY_PATTERN: Mapping[str, str] = {
    r"^0x[0-9a-f]{40}$": "must be an address: 0x and 40 hexadecimal digits",
    r"^0x[0-9a-f]{64}$": "must be a hash: 0x and 64 hexadecimal digits",
    r"^[0-9a-f]{64}$": "must be a card's hash: 64 hexadecimal digits",
    r"^0x[0-9a-f]{8}$": "must be 0x and 8 hexadecimal digits",
}
"""Rules that are better told in words; of all others the pattern is short and says it."""


def rule_of(item: ErrorDetails) -> str:
    """What a value must be, with the bound that it breaks, and of lists what it is."""
    kind, context = item["type"], item.get("ctx", {})
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return _BY_PATTERN.get(pattern, f"must be written as {pattern.strip('^$')}")
    if kind in ("too_short", "too_long"):
        return _length(kind, context)
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        words = context["expected_tags" if kind == "union_tag_invalid" else "expected"]
        return f"must be one of {str(words).replace(' or ', ', ').replace(chr(39), '')}"
    if kind == "union_tag_not_found":
        return f"needs the field {context['discriminator']}, which says what kind it is"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind].format_map(context)
    message = item["msg"].removeprefix("Value error, ")
    return message.replace("Input should be", "must be").replace("should have", "must have")


def _length(kind: str, context: Mapping[str, Any]) -> str:
    """A list is not read to its end where it is too long: how long it is may not be known."""
    has = context.get("actual_length")
    bound = f"{context['min_length']} or more" if kind == "too_short" else f"at most {context['max_length']}"
    return f"must have {bound} items" + ("" if has is None else f", and has {has}")
