"""What the columns of a file hold, found by reading them: numbers, truth values, dates or texts."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pyarrow import ArrowInvalid, compute, float64

from protocol.preparation.tables import ValueKind
from services.common.errors import UnusableColumn
from services.data.csv_rows import not_numeric, words_for
from services.data.parquet_rows import kinds as parquet_kinds
from services.data.readings import is_text, moments, plain_texts, truth_values
from services.data.row_files import Opened, open_columns

_compute: Any = compute
_NUMBER = r"(?i)^[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|inf|infinity)$"
_NUMBER_LIKE = r"^([-+]?\d[\d.,' ]*\s*[a-zA-Z€$£%°²³/]{0,3}|[€$£]\s*[-+]?\d[\d.,' ]*)$"
"""With a unit, or commas between its digits: no level, but a number that has to be written otherwise."""


def read_kinds(
    path: Path | str, columns: Sequence[str] | None = None, *, categorical: Collection[str] = ()
) -> dict[str, ValueKind]:
    """The kind of each column; those named `categorical` are texts whatever they hold.

    Raises DataSetError as `row_reader.read_tables` does, and for a column half of which are numbers: what
    else it holds is named by its row.
    """
    opened = open_columns(path, columns)
    typed = {}
    if opened.place.suffix.lower() == ".parquet":
        typed = parquet_kinds(opened.place, list(opened.written.values()))
    looks = {
        name: _Look(opened.place, name)
        for name, written in opened.written.items()
        if name not in categorical and typed.get(written) is None
    }
    if looks:
        _look(opened, looks)
    found: dict[str, ValueKind] = {}
    for name, written in opened.written.items():
        is_seen = "text" if name in categorical else _typed(typed.get(written))
        found[name] = looks[name].kind() if name in looks else is_seen
    return found


def _typed(kind: str | None) -> ValueKind:
    """A type of Parquet; what has none is refused where it is read, as a number that it is not."""
    return "boolean" if kind == "boolean" else "date" if kind == "date" else "number"


def _look(opened: Opened, looks: dict[str, "_Look"]) -> None:
    before = 0
    for batch in opened.batches({opened.written[name]: "text" for name in looks}):
        for name, look in looks.items():
            look.take(batch.column(opened.written[name]), before)
        before += batch.num_rows


class _Look:
    """What a column of texts can be read as, batch after batch."""

    def __init__(self, place: Path, name: str) -> None:
        self._place, self._name = place, name
        self._present = self._numbers = self._number_like = 0
        self._may_be: set[ValueKind] = {"boolean", "date"}
        self._odd: tuple[int, str] | None = None

    def take(self, column: Any, before: int) -> None:
        texts = plain_texts(column) if is_text(column.type) else plain_texts(_compute.cast(column, "string"))
        present = texts.drop_null()
        if not len(present):
            return
        self._present += len(present)
        if "boolean" in self._may_be and truth_values(present).null_count:
            self._may_be.discard("boolean")
        if "date" in self._may_be and moments(present).null_count:
            self._may_be.discard("date")
        try:
            _compute.cast(present, float64())
            self._numbers += len(present)
        except ArrowInvalid:
            self._count(texts, before)

    def _count(self, texts: Any, before: int) -> None:
        numbers = _compute.match_substring_regex(texts, _NUMBER)
        self._numbers += _compute.sum(numbers).as_py() or 0
        self._number_like += _compute.sum(_compute.match_substring_regex(texts, _NUMBER_LIKE)).as_py() or 0
        odd = _compute.index(numbers, False).as_py()
        if self._odd is None and odd >= 0:
            self._odd = before + odd + 1, words_for(texts[odd].as_py())

    def kind(self) -> ValueKind:
        """Raises UnusableColumn for numbers among which something else stands."""
        if self._numbers == self._present:
            return "number"
        for kind in ("boolean", "date"):
            if kind in self._may_be:
                return kind
        if 2 * max(self._numbers, self._number_like) >= self._present and self._odd is not None:
            row, words = self._odd
            raise _odd_number(self._place, self._name, row, words)
        return "text"


def _odd_number(place: Path, name: str, row: int, words: str) -> UnusableColumn:
    error = not_numeric(place, name, f", row {row}", words)
    return UnusableColumn(f"{error}; deltaml datasets add --categorical takes such values as levels")
