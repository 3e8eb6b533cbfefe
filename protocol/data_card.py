"""A data set's card: what its owner says of it in public, and all that decides whether a request fits.

An owner answers requests by cards, policy and budget, never by rows: whoever asks often enough learns no more
than the cards say. Rows lie within their card because it is checked when the one or the other comes.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Literal, Self

import rfc8785
from eth_hash.auto import keccak
from pydantic import AfterValidator, Field, model_validator

from protocol.preparation.values import (
    FIRST_DAY,
    LAST_DAY,
    MAXIMUM_LEVELS,
    MOST_LEVELS_TOGETHER,
    Level,
)
from protocol.request_sections import MAXIMUM_FEATURES
from protocol.request_values import AmountText, Number
from protocol.types import Digest, FreeText, FrozenModel, Name, Together, digest_of, one_line, repeated

MOST_COLUMNS = MAXIMUM_FEATURES + 1
MOST_CARDS = 64
MOST_CARD_BYTES = 2**19
"""Of all cards in an announcement, as canonical JSON."""

ColumnKind = Literal["numeric", "boolean", "categorical", "date"]

_RANGED = ("numeric", "date")
_FINEST = -29
"""As an exponent of ten: a request names no finer numbers."""

Unit = Annotated[str, Field(max_length=50), AfterValidator(one_line)]


class CardColumn(FrozenModel):
    """One column: numbers with a range, dates with one in days since 1970, categories with a vocabulary.

    `gaps` says whether values may be missing, `clipped` whether values were brought within the range, `log`
    whether logarithms may be asked for.
    """

    name: Name
    kind: ColumnKind = "numeric"
    unit: Unit = ""
    minimum: Number | None = None
    maximum: Number | None = None
    vocabulary: Annotated[
        tuple[Level, ...],
        Field(max_length=MAXIMUM_LEVELS, fail_fast=True),
        Together(MOST_LEVELS_TOGETHER),
    ] = ()
    gaps: bool = False
    clipped: bool = False
    log: bool = False

    @model_validator(mode="after")
    def _as_its_kind_has_it(self) -> Self:
        has_range = self.minimum is not None and self.maximum is not None
        if self.kind in _RANGED and not has_range:
            raise ValueError(f"column {self.name!r}: give minimum and maximum")
        if self.kind not in _RANGED and (self.minimum, self.maximum, self.clipped) != (None, None, False):
            raise ValueError(f"column {self.name!r}: only numbers and dates have a range")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"column {self.name!r}: minimum must not be above maximum")
        if self.kind == "date" and not (self.limits[0] >= FIRST_DAY and self.limits[1] < LAST_DAY + 1):
            raise ValueError(f"column {self.name!r}: dates lie in the years 1 to 9999")
        if (self.kind == "categorical") != bool(self.vocabulary):
            raise ValueError(f"column {self.name!r}: categories, and only they, have a vocabulary")
        twice = repeated(self.vocabulary)
        if twice is not None:
            raise ValueError(f"column {self.name!r}: the vocabulary has {twice!r} twice")
        if self.log and self.kind != "numeric":
            raise ValueError(f"column {self.name!r}: only numbers have logarithms")
        return self

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """Between which numbers the values lie; zero and one but for numbers and dates."""
        return self.minimum or Decimal(0), self.maximum if self.maximum is not None else Decimal(1)


class DataCard(FrozenModel):
    """What everybody may know of a data set.

    It has `rows_from` rows, a power of two, or more, but not twice as many. A request whose least fixed pay
    is below `least_pay_wei` does not fit. Only a `listed` card is told to aggregators.
    """

    name: Name
    columns: Annotated[tuple[CardColumn, ...], Field(min_length=1, max_length=MOST_COLUMNS, fail_fast=True)]
    rows_from: Annotated[int, Field(ge=1, le=1 << 52)]
    licence: FreeText = ""
    purpose: FreeText = ""
    least_pay_wei: AmountText = 0
    listed: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = repeated(column.name for column in self.columns)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice")
        if self.rows_from != bucket_of(self.rows_from):
            raise ValueError(
                f"rows_from is {self.rows_from}; it must be a power of two, as {bucket_of(self.rows_from)}"
            )
        return self

    @property
    def levels(self) -> int:
        """How many words all vocabularies have together."""
        return sum(len(column.vocabulary) for column in self.columns)

    def canonical(self) -> bytes:
        """Canonical JSON (RFC 8785); numbers that are not small integers are strings."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def hash(self) -> Digest:
        """keccak256 of the canonical JSON."""
        return keccak(self.canonical())


def _few_levels(cards: tuple[DataCard, ...]) -> tuple[DataCard, ...]:
    if sum(card.levels for card in cards) > MOST_LEVELS_TOGETHER:
        raise ValueError(f"more than {MOST_LEVELS_TOGETHER} words in all vocabularies together")
    return cards


Cards = Annotated[
    tuple[DataCard, ...], Field(max_length=MOST_CARDS, fail_fast=True), AfterValidator(_few_levels)
]


def cards_digest(cards: tuple[DataCard, ...]) -> Digest:
    """What stands for these cards in this order."""
    return digest_of(*(card.hash() for card in cards))


def listed_cards(cards: Mapping[str, DataCard]) -> tuple[DataCard, ...]:
    """Those that are told to aggregators, by name, as many as one announcement holds.

    One that finds no room is left out, and not those that come after it.
    """
    return tuple(card for card, lack in _places(cards) if not lack)


def without_room(cards: Mapping[str, DataCard]) -> dict[str, str]:
    """The listed cards that are told to nobody, by name: what an announcement has too little room for."""
    return {card.name: lack for card, lack in _places(cards) if lack}


def _places(cards: Mapping[str, DataCard]) -> Iterator[tuple[DataCard, str]]:
    """Every listed card by name, and what it lacks; nothing where it finds room."""
    told = total = words = 0
    for _, card in sorted(cards.items()):
        if not card.listed:
            continue
        size = len(card.canonical())
        lack = _lack(1, MOST_CARDS - told, MOST_CARDS, "cards")
        lack = lack or _lack(size, MOST_CARD_BYTES - total, MOST_CARD_BYTES, "bytes")
        lack = lack or _lack(card.levels, MOST_LEVELS_TOGETHER - words, MOST_LEVELS_TOGETHER, "words")
        if not lack:
            told, total, words = told + 1, total + size, words + card.levels
        yield card, lack


def _lack(needed: int, left: int, most: int, of: str) -> str:
    if needed <= left:
        return ""
    return f"of the {most} {of} of an announcement {left} are left, and it needs {needed}"


def bucket_of(rows: int) -> int:
    """The largest power of two that is not above `rows`, 1 or more."""
    return 1 << (rows.bit_length() - 1)


def rounded_outwards(low: float, high: float) -> tuple[Decimal, Decimal]:
    """The range on a grid of a power of ten, between a tenth and a hundredth of its width.

    So the rounded range of a part lies within that of the whole. A single value is rounded to two digits.
    What is above zero stays above it, at the power of ten below, for logarithms.
    """
    least, most = Decimal(repr(low)), Decimal(repr(high))
    width = most - least or abs(most)
    if not width:
        return Decimal(0), Decimal(0)
    step = Decimal(1).scaleb(max(width.adjusted() - 1, _FINEST))
    down = (least / step).to_integral_value(ROUND_FLOOR) * step
    if down <= 0 < least and least.adjusted() >= _FINEST:
        down = Decimal(1).scaleb(least.adjusted())
    return down, (most / step).to_integral_value(ROUND_CEILING) * step
