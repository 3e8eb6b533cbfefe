"""How one input of a request's form is written: a document's value as a text, and a text as such a value."""

from typing import Any, Literal

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from services.common.addresses import WrongChecksum, plain_address
from services.console.presentation.parse import decimal_number, scaled, whole_number, with_point

Kind = Literal[
    "text",
    "address",
    "whole",
    "one_or_more",
    "optional",
    "decimal",
    "decimals",
    "optional_decimal",
    "optional_text",
    "money",
    "percent",
    "yes",
]
_LARGEST_WHOLE = 10**29 - 1
_DIGITS_SHOWN = 40


def shown(value: Any, kind: Kind) -> str:
    """A document's value as it is typed; empty for what no input of this kind can hold."""
    if kind == "one_or_more" and value is None:
        value = 1  # which a document leaves out
    if kind == "yes":
        return "on" if value is True else ""
    if kind == "decimals" and isinstance(value, list | tuple):
        return " ".join(shown(one, "decimal") for one in value)
    if not isinstance(value, str | int | float) or _is_vast(value):
        return ""
    number = decimal_number(str(value))
    if number is None or abs(number.adjusted()) > _DIGITS_SHOWN:
        return str(value)
    if kind == "money":
        return MARKET_ASSET.plain(number)
    return f"{number / 100:f}" if kind == "percent" else str(value)


def _is_vast(value: object) -> bool:
    """Whether it has more digits than any number of a request; Python refuses to write the longest."""
    return isinstance(value, int) and abs(value) > 10**_DIGITS_SHOWN


def meant(text: str, kind: Kind) -> Any:
    """The value that a text means; the text itself where it means none, which the request's rules refuse."""
    text = text.strip() or ("1" if kind == "one_or_more" else "")
    match kind:
        case "yes":
            return text == "on"
        case "whole" | "one_or_more":
            number = whole_number(text, _LARGEST_WHOLE)
        case "optional":
            return whole_number(text, _LARGEST_WHOLE) if text.isascii() and text.isdigit() else text or None
        case "decimal" | "decimals" | "optional_decimal":
            number_text = _several(text) if kind == "decimals" else with_point(text)
            return number_text or (None if kind == "optional_decimal" else "")
        case "money" | "address":
            return _amount(text) if kind == "money" else _address(text)
        case "percent":
            number = scaled(text, 100)
        case "text" | "optional_text":
            return text or (None if kind == "optional_text" else "")
    return text if number is None else number


def _several(text: str) -> str | tuple[str, ...]:
    """One number as it is, or all of a list."""
    each = [with_point(one) for one in text.replace(";", " ").replace(", ", " ").split()]
    return tuple(each) if len(each) > 1 else "".join(each)


def _address(text: str) -> str:
    """In lower case; one with a wrong checksum stays as it is, which is no address by the request's rules."""
    try:
        return plain_address(text)
    except WrongChecksum:
        return text


def _amount(text: str) -> int | str:
    try:
        return MARKET_ASSET.parse(text)
    except MisuseError:
        return text
