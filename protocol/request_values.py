"""Numbers as a request has them: exact decimals, the same bytes in every language."""

from decimal import Context, Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from protocol.terms import Amount

MAXIMUM_DIGITS = 28
_ARITHMETIC = Context(prec=MAXIMUM_DIGITS)


def _decimal(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("must be a decimal number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError("must be a finite number between 1e-30 and 1e30")
    if _ARITHMETIC.plus(number) != number:
        # Decimal's arithmetic would round it: two documents, one hash. Zeros at the end are no digits, since
        # the canonical form of 1e30 has thirty.
        raise ValueError(f"must have at most {MAXIMUM_DIGITS} digits")
    return number


def _decimal_text(value: Decimal) -> str:
    text = format(value.normalize(), "f")
    return "0" if Decimal(text) == 0 else text


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(_decimal_text, return_type=str)]
"""A decimal, written as a string in the canonical form so that every language hashes the same bytes."""


StepSize = Annotated[
    Annotated[Number, Field(gt=0, le=10**6)] | None,
    BeforeValidator(lambda value: None if value == "auto" else value),
    PlainSerializer(lambda value: "auto" if value is None else _decimal_text(value), return_type=str),
]
"""η of gradient descent; None, written `auto`, for the largest that is safe on an owner's rows."""


def _whole_number(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


AmountText = Annotated[Amount, BeforeValidator(_whole_number), PlainSerializer(str, return_type=str)]
