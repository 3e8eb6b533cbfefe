"""What an owner declares on a data set's card, as it writes it: texts, and `COLUMN=VALUE` for columns."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from protocol.data_card import CardColumn, DataCard
from protocol.data_set import text_fault
from protocol.errors import MisuseError
from protocol.preparation.moments import day_of
from protocol.preparation.values import days_since_1970
from protocol.request_parsing import as_tuples
from services.common.accents import composed
from services.common.problems import told
from services.data.row_files import name_list, plain_name

_RANGE = "COLUMN=MINIMUM:MAXIMUM, like age=0:120 or day=2020-01-01:2025-12-31"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LINE_ENDS = str.maketrans("\r\n", "  ")


@dataclass(frozen=True, slots=True)
class Declarations:
    """Changes to a card; None, or no column, leaves what is there. `least_pay` is in smallest units."""

    ranges: list[str] | None = None
    units: list[str] | None = None
    vocabularies: list[str] | None = None
    gaps: list[str] | None = None
    kinds: list[str] | None = None
    licence: str | None = None
    purpose: str | None = None
    least_pay: int | None = None
    listed: bool | None = None
    publish: list[str] | None = None

    def published(self) -> set[str]:
        """The columns of which buyers may read every word, though they describe single rows."""
        return set(map(plain_name, self.publish or ()))

    def columns(self) -> set[str]:
        """The columns of which something is declared that other rows must keep to."""
        lasting = (("--range", self.ranges), ("--vocabulary", self.vocabularies), ("--kind", self.kinds))
        return {name for option, texts in lasting for name, _ in _pairs(option, texts)}

    def applied(self, card: DataCard, texts: Collection[str] = ()) -> DataCard:
        """The card with these changes; `texts` are the columns of the rows that no card can have.

        Raises MisuseError naming a column that the card lacks, and what is wrong with a value.
        """
        changes: dict[str, dict[str, Any]] = {name: {} for name in self.published()}
        for option, declared in self._of_columns():
            for name, text in _pairs(f"--{option}", declared):
                changes.setdefault(name, {}).update(column_fields(option, name, text))
        if asked := [name for name in texts if name in changes]:
            raise MisuseError(f"the card of {card.name!r} cannot have it: {text_fault(asked)}")
        return changed_card(card, changes, self._texts())

    def _of_columns(self) -> Iterator[tuple[str, list[str] | None]]:
        yield "kind", self.kinds
        yield "range", self.ranges
        yield "unit", self.units
        yield "vocabulary", self.vocabularies
        yield "gaps", self.gaps

    def _texts(self) -> dict[str, Any]:
        texts: dict[str, Any] = {"licence": self.licence, "purpose": self.purpose, "listed": self.listed}
        texts["least_pay_wei"] = self.least_pay
        plain = {
            name: text.translate(_LINE_ENDS) if isinstance(text, str) else text
            for name, text in texts.items()
        }
        return {name: value for name, value in plain.items() if value is not None}


def changed_card(
    card: DataCard, columns: Mapping[str, Mapping[str, Any]], fields: Mapping[str, Any]
) -> DataCard:
    """The card with other fields of its columns, by their names, and of its own, as plain JSON has them.

    Raises MisuseError naming a column that the card lacks, and what is wrong with a value.
    """
    known = [column.model_dump(mode="json") for column in card.columns]
    for name in columns.keys() - {column["name"] for column in known}:
        names = name_list([column["name"] for column in known])
        raise MisuseError(f"the card of {card.name!r} has no column {name!r}; it has {names}")
    wanted = {**card.model_dump(mode="json"), **fields}
    return parse_card({**wanted, "columns": [{**one, **columns.get(one["name"], {})} for one in known]})


def parse_card(values: Mapping[str, Any]) -> DataCard:
    """The card in plain JSON values, its accents in one form (NFC), as rows are read.

    Raises MisuseError naming every field that is wrong, and its rule.
    """
    try:
        return DataCard.model_validate(composed(as_tuples(values)))
    except ValidationError as error:
        lines = [told(DataCard, item, "card") for item in error.errors(include_url=False)]
        raise MisuseError("the card is not valid:\n  " + "\n  ".join(lines)) from None


def clip_bounds(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Between which values columns are brought, out of texts like area=0:500; dates in days since 1970.

    Raises MisuseError naming a text that says no such thing.
    """
    bounds = {}
    for text in texts:
        name, _, ends = text.rpartition("=")
        low, _, high = ends.partition(":")
        try:
            least, most = (float(end_of(end.strip())) for end in (low, high))
        except ValueError:
            least = most = math.nan
        if not name or not -math.inf < least < most < math.inf:
            raise MisuseError(f"--clip {text}: write COLUMN=FROM:TO, as in area=0:500")
        bounds[plain_name(name)] = least, most
    return bounds


def column_ends(column: CardColumn) -> tuple[str, str]:
    """The range of a card's column as its owner writes it, dates as days; empty where it has none."""
    if column.kind not in ("numeric", "date"):
        return "", ""
    low, high = column.limits
    return (day_of(float(low)), day_of(float(high))) if column.kind == "date" else (f"{low:f}", f"{high:f}")


def column_fields(option: str, name: str, text: str) -> dict[str, Any]:
    """The fields of a card's column that an option's value sets."""
    match option:
        case "range":
            low, high = _ends(name, text)
            return {"minimum": low, "maximum": high}
        case "kind" if text == "boolean":
            return {"kind": text, "minimum": None, "maximum": None, "log": False}
        case "vocabulary":
            return {option: tuple(word.strip() for word in text.split(","))}
        case "gaps" if text in ("yes", "no"):
            return {option: text == "yes"}
    return {option: text}


def _ends(name: str, text: str) -> tuple[str, str]:
    """Both ends as numbers; of dates, as days since 1970."""
    low, mark, high = text.partition(":")
    if not mark:
        raise MisuseError(f"--range {name}={text}: write {_RANGE}")
    return end_of(low.strip()), end_of(high.strip())


def end_of(text: str) -> str:
    """An end of a range: a date as days since 1970, anything else as it is."""
    try:
        return str(days_since_1970(text)) if _DAY.fullmatch(text) else text
    except ValueError:
        return text


def _pairs(option: str, texts: Iterable[str] | None) -> Iterator[tuple[str, str]]:
    """A column's name may hold '=', so the last one divides."""
    for text in texts or ():
        name, mark, value = text.rpartition("=")
        if not mark:
            raise MisuseError(f"{option} {text}: write COLUMN=VALUE")
        yield plain_name(name), value.strip()
