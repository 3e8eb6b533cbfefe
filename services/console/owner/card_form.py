"""A card as a form: the texts that it shows, and the changes that a filled-in one means or lacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.asset import MARKET_ASSET
from protocol.data_card import CardColumn, DataCard
from protocol.errors import MisuseError
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.parse import decimal_number, with_point
from services.console.presentation.problem import Problem, not_an_amount
from services.data.declarations import changed_card, column_ends, column_fields, end_of

COLUMNS_AT_ONCE = 100
"""On one page of the form: each has at most seven inputs, and a form at most 1,024."""

_ENDS = ("minimum", "maximum")
_LASTING = frozenset({"kind", "vocabulary", *_ENDS})
"""What other rows of the same data set must keep to, once it was chosen."""

_END = _("Give a number such as 12.5, and for dates a day such as 2024-02-29.")


@dataclass
class CardChange:
    """What a form changes: fields of columns by name, of the card, and words that everybody may read."""

    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    problems: dict[str, Problem] = field(default_factory=dict)

    @property
    def chosen(self) -> set[str]:
        """The columns whose kind, range or vocabulary is another than before."""
        return {name for name, fields in self.columns.items() if fields.keys() & _LASTING}

    def applied(self, card: DataCard) -> DataCard:
        """The card after it; raises MisuseError for one that cannot be."""
        return changed_card(card, self.columns, self.texts)


def input_of(index: int, part: str) -> str:
    """The name of a column's input."""
    return f"column-{index}-{part}"


def columns_of(card: DataCard, page: int) -> Iterator[tuple[int, CardColumn]]:
    """The columns on a page of the form, with their places on the card."""
    first = page * COLUMNS_AT_ONCE
    return enumerate(card.columns[first : first + COLUMNS_AT_ONCE], start=first)


def form_of(card: DataCard, page: int) -> dict[str, str]:
    """A card's texts by input, those of one page of its columns."""
    values = {
        "licence": card.licence,
        "purpose": card.purpose,
        "least_pay": MARKET_ASSET.plain(card.least_pay_wei),
        "listed": "yes" if card.listed else "no",
    }
    for index, column in columns_of(card, page):
        values |= {input_of(index, part): text for part, text in _texts_of(column).items()}
    return values


def read(form: Mapping[str, str], card: DataCard) -> CardChange:
    """What a form changes; inputs that it lacks, or that say what the card says, change nothing."""
    change = CardChange()
    for index, column in enumerate(card.columns):
        if form.get(input_of(index, "publish")) == "yes":
            change.published.add(column.name)
        typed = {part: form.get(input_of(index, part)) for part in _texts_of(column)}
        fields = _column_change(index, column, typed, change.problems)
        if fields:
            change.columns[column.name] = fields
    change.texts = _card_change(form, card, change.problems)
    return change


def _texts_of(column: CardColumn) -> dict[str, str]:
    low, high = column_ends(column)
    return {
        "kind": column.kind,
        "minimum": low,
        "maximum": high,
        "unit": column.unit,
        "vocabulary": "\n".join(column.vocabulary),
        "gaps": "yes" if column.gaps else "no",
    }


def _column_change(
    index: int, column: CardColumn, typed: Mapping[str, str | None], problems: dict[str, Problem]
) -> dict[str, Any]:
    known = _texts_of(column)
    fields: dict[str, Any] = {}
    changed = {
        part: text.strip()
        for part, text in typed.items()
        if text is not None and _lines(text) != _lines(known[part])
    }
    is_boolean = changed.get("kind", column.kind) == "boolean"
    for part, text in changed.items():
        if part in _ENDS and not is_boolean:
            fields[part] = end_of(with_point(text))
            if decimal_number(fields[part]) is None:
                problems[input_of(index, part)] = Problem(_END)
        elif part == "vocabulary":
            fields[part] = _lines(text)
        elif part not in _ENDS:
            fields |= column_fields(part, column.name, text)
    return fields


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _card_change(form: Mapping[str, str], card: DataCard, problems: dict[str, Problem]) -> dict[str, Any]:
    known = form_of(card, 0)
    changed = {
        name: " ".join(_lines(form[name]))
        for name in ("licence", "purpose", "least_pay", "listed")
        if name in form and form[name].strip() != known[name]
    }
    fields: dict[str, Any] = {name: changed[name] for name in ("licence", "purpose") if name in changed}
    if "listed" in changed:
        fields["listed"] = changed["listed"] == "yes"
    if "least_pay" in changed:
        try:
            fields["least_pay_wei"] = MARKET_ASSET.parse(changed["least_pay"] or "0")
        except MisuseError:
            problems["least_pay"] = not_an_amount()
    return fields
