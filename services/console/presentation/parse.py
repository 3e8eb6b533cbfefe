"""Figures as people type them: a decimal comma is a point, and what is not a figure is None."""

from decimal import Decimal

from protocol.asset import with_decimal_point

_LARGEST = Decimal(10**40)


def whole_number(text: str, largest: int) -> int | None:
    """A whole number from 0 to `largest`, in plain digits."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(largest))):
        return None
    number = int(text)
    return number if number <= largest else None


def with_point(text: str) -> str:
    """The text of a decimal number, with a point; as it is where a comma may be one of thousands."""
    return with_decimal_point(text.strip())


def decimal_number(text: str) -> Decimal | None:
    """A decimal number below 10⁴⁰ in absolute value."""
    try:
        number = Decimal(with_point(text))
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < _LARGEST else None


def scaled(text: str, factor: int) -> int | None:
    """A decimal number times `factor`, if that is whole: ether as wei, per cent as basis points."""
    number = decimal_number(text)
    if number is None:
        return None
    product = number * factor
    return int(product) if abs(product) < _LARGEST and product == int(product) else None
