"""Files of rows, CSV or Parquet: what columns they have, and which are chosen; `row_reader` reads the rows.

`protocol` takes arrays and never files; this is where files become arrays. No
error text holds a value from a file: it may be shown to others, and rows are what this market keeps private.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from services.common.accents import composed
from services.common.errors import DataSetError, UnusableColumn

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int], None]
"""Told the number of rows read so far."""

SUFFIXES = (".csv", ".parquet")
ROW_LIMIT = 1_000_000
_NAMES_SHOWN = 12


def column_names(path: Path | str) -> tuple[str, ...]:
    """All columns of a file, in its order; raises DataSetError when it cannot be read as a table.

    Names are compared as people read them: without spaces around them, and accents in one form (NFC).
    """
    return tuple(map(plain_name, _columns(_existing(path))))


def plain_name(name: str) -> str:
    """A column's name as it is compared."""
    return str(composed(name.strip()))


def listed(names: str | None) -> list[str] | None:
    """The names in a list like "a, b"; None is none, which means all columns."""
    return None if names is None else [plain_name(name) for name in names.split(",")]


@contextmanager
def columns_hint() -> Iterator[None]:
    """Around commands that have the option: an error about one column says how to do without it."""
    try:
        yield
    except UnusableColumn as error:
        raise DataSetError(
            f"{error}; --columns a,b,c takes the columns that it names, and no other"
        ) from None


def index_columns(path: Path | str) -> tuple[str, ...]:
    """The columns in which pandas stored its index in a Parquet file: they are not read."""
    place = _existing(path)
    return tuple(_format(place).index_columns(place))


def index_note(left_out: Sequence[str]) -> list[str]:
    """A line about `index_columns`, where there are some."""
    return [f"left out, because pandas stored its index there: {', '.join(left_out)}"] if left_out else []


def name_list(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose columns are known: `written` are the names, as the file has them, of those chosen."""

    place: Path
    known: tuple[str, ...]
    written: Mapping[str, str]

    def batches(self, kinds: Mapping[str, str]) -> Iterator["pa.RecordBatch"]:
        """The rows of columns by their names in the file, those of the kind "number" as numbers."""
        return _format(self.place).batches(self.place, self.known, kinds)  # type: ignore[no-any-return]


def open_columns(path: Path | str, columns: Sequence[str] | None = None) -> Opened:
    """A file to read `columns` of, all by default, in that order.

    Raises DataSetError for a file that is no table, and for columns that are not there or have no name.
    """
    place = _existing(path)
    known = _columns(place)
    plain = tuple(map(plain_name, known))
    chosen = plain if columns is None else tuple(map(plain_name, columns))
    missing = [name for name in chosen if name not in plain]
    if missing:
        raise DataSetError(f"{place} has no column {missing[0]!r}; it has {name_list(plain)}")
    _require_names(place, plain, chosen)
    if not chosen or len(set(chosen)) != len(chosen):
        raise DataSetError(f"choose each column of {place} once, and at least one")
    return Opened(place, known, {name: known[plain.index(name)] for name in chosen})


def _is_text(name: str) -> bool:
    """Whether a path has a name in UTF-8: Linux has files of any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _existing(path: Path | str) -> Path:
    place = Path(path)
    if not _is_text(str(place)):  # pyarrow takes no other, nor does a document
        raise DataSetError(f"the name of the file {str(place)!a} is not UTF-8; rename it")
    if place.suffix.lower() not in SUFFIXES:
        raise DataSetError(f"{place} is not a {' or '.join(SUFFIXES)} file; convert it to one of these")
    try:
        if place.is_dir():
            raise DataSetError(f"{place} is a directory; name one file in it")
        with place.open("rb") as file:
            if not file.read(1):
                raise DataSetError(f"{place} is empty; it needs a header and rows")
    except FileNotFoundError:
        raise DataSetError(f"there is no file {place}; check the path") from None
    except OSError as error:
        raise DataSetError(f"{place} cannot be read: {error.strerror or type(error).__name__}") from None
    return place


def _format(place: Path) -> ModuleType:
    """What reads this kind of file, by pyarrow: half a second that commands without files need not pay."""
    from services.data import csv_rows, parquet_rows  # noqa: PLC0415

    return csv_rows if place.suffix.lower() == ".csv" else parquet_rows


def _columns(place: Path) -> tuple[str, ...]:
    return tuple(_format(place).columns(place))


def _require_names(place: Path, names: Sequence[str], chosen: Sequence[str]) -> None:
    """Raise DataSetError for chosen names that nobody could tell apart or read; others may be as they are."""
    for position, name in enumerate(names, start=1):
        if name in chosen and (not name or not name.isprintable() or len(name) > 200):
            raise DataSetError(
                f"{place}: column {position} needs a name of 1 to 200 printable characters; name it, or "
                "choose other columns by name (pandas writes its index so: to_csv(index=False))"
            )
        if name in chosen and names.count(name) > 1:
            raise DataSetError(f"{place} has two columns named {name!r}; rename one, or choose others")
