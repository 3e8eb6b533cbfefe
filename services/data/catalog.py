"""An owner's data sets by name, each kept as its statistic: the rows stay in the file they came from.

One file per data set, `NAME.dataset`, holds metadata, card and factor together, so that replacing one is a
single rename and a reader never sees half of it. The factor determines the columns' means and covariances: it
is as private as the rows. The card is what others may know; the rows of every data set lie within theirs.
"""

import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
from pydantic import BaseModel, Field

from protocol.data_card import DataCard
from protocol.data_set import DataSet, card_of, faults, newly_revealed, renewed
from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic
from protocol.preparation.layout import KeptColumn
from services.common.errors import ConfigurationError, DataSetError, RevealingColumns
from services.common.files import printable, private_folder, read_private, write_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIX = ".dataset"

_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)
"""Failures that say nothing about the file."""

_IN_STATISTIC = {"columns": {"__all__": {"log"}}}
"""What a file tells once, with the statistic."""

Manifest = frozenset[tuple[str, int, int, int]]
"""Name, file number, time of change and mode of every file in a catalogue."""


class Entry(BaseModel, frozen=True, extra="forbid"):
    """What an owner sees of a data set; `source` is the file it was read from, if it is still there."""

    name: str
    rows: int = Field(ge=1)
    columns: tuple[KeptColumn, ...]
    source: str
    added_at: datetime


class _File(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    entry: Entry
    statistic: bytes = Field(repr=False)
    declared: tuple[str, ...] = ()
    card: DataCard | None = None
    """None is of an earlier version: nobody has agreed to have such a one listed."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A file in the catalogue that is no data set: its name, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Held:
    entry: Entry
    data_set: DataSet


@dataclass(frozen=True, slots=True)
class _Survey:
    held: tuple[_Held, ...]
    strays: tuple[Stray, ...]


class Catalog:
    """A folder of data sets, for its owner alone."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder; raises ConfigurationError when others can enter it."""
        self.folder = private_folder(Path(folder))
        self._kept: dict[tuple[str, int, int, int], _Held] = {}

    def add(
        self,
        name: str,
        statistic: Statistic,
        source: Path | str,
        *,
        card: DataCard | None = None,
        declared: Iterable[str] = (),
        published: Collection[str] = (),
        replace: bool = False,
        now: datetime | None = None,
    ) -> Entry:
        """Keep a statistic and its card: without one, that of the data set that it replaces, or a new one.

        `source` is the file it was read from, or words for where it came from; `declared` are columns whose
        range the owner has chosen: other rows of this name must lie within it, too. Raises DataSetError for a
        name that is wrong, or taken unless `replace`, for rows that do not lie within the card, and
        RevealingColumns for a listed card with words that describe single rows, of columns not `published`.
        """
        path = self._path(name)
        if not replace:
            self.require_free(name)
        card = self.card_for(name, statistic) if card is None else card
        _require_within(card, statistic)
        entry = Entry(
            name=name,
            rows=statistic.rows,
            columns=statistic.kept,
            source=str(source.absolute() if isinstance(source, Path) else source),
            added_at=now or datetime.now(UTC),
        )
        earlier = self._earlier(name)
        _require_published(card, statistic, None if earlier is None else earlier.card, published)
        chosen = {*declared, *(() if earlier is None else earlier.declared)}
        _write(path, entry, DataSet(card, statistic, tuple(chosen)), replace=replace)
        return entry

    def card_for(self, name: str, statistic: Statistic) -> DataCard:
        """A card for rows that come under this name: what is declared for it already, else what they suggest.

        Raises DataSetError for numbers that no request can name.
        """
        try:
            earlier = self._earlier(name)
            return card_of(name, statistic) if earlier is None else renewed(earlier, statistic)
        except MisuseError as error:
            raise DataSetError(str(error)) from None

    def _earlier(self, name: str) -> DataSet | None:
        """What is there under a name; None also for what is damaged, which may be replaced."""
        try:
            return self._open(self._path(name)).data_set if self._path(name).is_file() else None
        except (DataSetError, ConfigurationError):
            return None

    def card(self, name: str) -> DataCard:
        """One data set's card; raises DataSetError when there is none or it is damaged."""
        return self._open(self._existing(name)).data_set.card

    def set_card(self, card: DataCard, declared: Iterable[str] = (), published: Collection[str] = ()) -> None:
        """Give the data set of the card's name another one; the ranges of `declared` columns are chosen.

        Raises DataSetError when there is none, or its rows do not lie within the card, and RevealingColumns
        as `add` does.
        """
        path = self._existing(card.name)
        held = self._open(path)
        earlier, statistic, before, _ = held.data_set
        _require_within(card, statistic)
        _require_published(card, statistic, earlier, published)
        _write(path, held.entry, DataSet(card, statistic, tuple({*before, *declared})), replace=True)

    def require_free(self, name: str) -> None:
        """Raise DataSetError for a name that is wrong or taken."""
        if self._path(name).exists():
            raise DataSetError(
                f"there is a data set {name!r} already; choose another name, or replace it (--replace)"
            )

    def list(self) -> tuple[Entry, ...]:
        """All data sets by name. What else lies in the folder is left out, and told by `strays`."""
        return tuple(held.entry for held in self._survey().held)

    def strays(self) -> tuple[Stray, ...]:
        """What lies among the data sets and is none, by name: copies, damaged files, folders."""
        return self._survey().strays

    def manifest(self) -> Manifest:
        """What identifies every file as it is: another one when anything was changed."""
        return frozenset(seal for _, seal in self._sealed_files())

    def entry(self, name: str) -> Entry:
        """One data set's description; raises DataSetError when there is none or it is damaged."""
        return self._open(self._existing(name)).entry

    def load(self, name: str) -> Statistic:
        """One data set's statistic; raises DataSetError when there is none or it is damaged."""
        return self._open(self._existing(name)).data_set.statistic

    def cards(self) -> dict[str, DataCard]:
        """Every data set's card by name; raises DataSetError as `all` does."""
        return {name: one.card for name, one in self.all().items()}

    def all(self) -> dict[str, DataSet]:
        """Every data set by name; raises DataSetError when a file cannot be read at the moment.

        A file is read again when it was changed.
        """
        return {held.entry.name: held.data_set for held in self._survey().held}

    def remove(self, name: str) -> None:
        """Forget a data set, or a stray by the name that `strays` tells; the file it came from stays.

        Raises DataSetError when there is none, or it is a folder that holds something.
        """
        strays = {printable(path.name): path for path in self._files()}
        path = strays.get(name) or strays.get(f"{name}{_SUFFIX}") or self._existing(name)
        try:
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
        except OSError as error:
            raise DataSetError(f"cannot remove {path}: {error.strerror}; remove it by hand") from None

    def _survey(self) -> _Survey:
        """Reads what is new. A file that cannot be used stops nothing but itself.

        Raises DataSetError when the computer has no room to read: that data sets are gone must not follow.
        """
        survey, kept = _Survey((), ()), {}
        for path, seal in self._sealed_files():
            try:
                held = self._kept.get(seal) or self._open(path)
            except (DataSetError, ConfigurationError) as error:
                if isinstance(error.__context__, OSError) and error.__context__.errno in _PASSING:
                    raise DataSetError(str(error)) from None
                stray = Stray(printable(path.name), str(error).removeprefix(f"{path} "))
                survey = _Survey(survey.held, (*survey.strays, stray))
            else:
                kept[seal] = held
                survey = _Survey((*survey.held, held), survey.strays)
        self._kept = kept
        return survey

    def _open(self, path: Path) -> _Held:
        """Raises DataSetError for what is not the data set of its name, ConfigurationError if others read."""
        name = path.name.removesuffix(_SUFFIX)
        self._path(name)
        if not path.is_file():  # a pipe would be waited for
            raise DataSetError(f"{path} is not a file; remove it")
        held = _whole(read_private(path))
        if held is None:
            raise DataSetError(f"{path} is damaged; remove it and add the data set again")
        if held.entry.name != name:  # a copy would have a budget of its own
            raise DataSetError(
                f"{path} is the data set {held.entry.name!r} under another name; rename it back, or remove it"
            )
        return held

    def _sealed_files(self) -> Iterator[tuple[Path, tuple[str, int, int, int]]]:
        for path in self._files():
            with suppress(FileNotFoundError):  # removed between two looks
                state = path.stat() if path.is_file() else path.lstat()
                yield path, (path.name, state.st_ino, state.st_mtime_ns, state.st_mode)

    def _files(self) -> Sequence[Path]:
        try:
            names = os.listdir(self.folder)  # noqa: PTH208  glob takes what it cannot read for empty
        except OSError as error:
            raise DataSetError(f"cannot read the folder {self.folder}: {error.strerror}") from None
        found = (name for name in names if name.endswith(_SUFFIX) and not name.startswith("."))
        return [self.folder / name for name in sorted(found, key=lambda name: name.removesuffix(_SUFFIX))]

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            known = ", ".join(entry.name for entry in self.list())
            raise DataSetError(f"there is no data set {name!r}; the catalogue has {known or 'none yet'}")
        return path

    def _path(self, name: str) -> Path:
        """A name is one path component, so no data set can lie outside the folder."""
        if not _NAME.fullmatch(name):
            raise DataSetError(
                f"{name[:100]!r} cannot name a data set; use 1 to 100 letters, digits, '.', '_' and '-', "
                "the first a letter or digit"
            )
        return self.folder / f"{name}{_SUFFIX}"


def _require_within(card: DataCard, statistic: Statistic) -> None:
    wrong = faults(card, statistic)
    if wrong:
        raise DataSetError(
            f"the rows do not lie within the card of {card.name!r}: {'; '.join(wrong)}. Declare what they "
            "hold (--range, --vocabulary, --gaps, --kind), or have values outside brought into it (--clip)"
        )


def _require_published(
    card: DataCard, statistic: Statistic, before: DataCard | None, published: Collection[str]
) -> None:
    unnamed = [name for name in newly_revealed(card, statistic, before) if name not in published]
    if unnamed:
        raise RevealingColumns(card.name, unnamed)


def _write(path: Path, entry: Entry, data_set: DataSet, *, replace: bool) -> None:
    content = {
        "entry": entry.model_dump(mode="json", exclude=_IN_STATISTIC),
        "statistic": data_set.statistic.to_bytes(),
        "declared": sorted(data_set.declared),
        "card": data_set.card.model_dump(mode="python"),
    }
    write_private(path, msgpack.packb(content), replace=replace)


def _whole(content: bytes) -> _Held | None:
    """What is in a file; None where it is damaged."""
    try:
        file = _File.model_validate(msgpack.unpackb(content, strict_map_key=True, use_list=False))
        statistic = Statistic.from_bytes(file.statistic)
        card = file.card or card_of(file.entry.name, statistic).model_copy(update={"listed": False})
    except Exception:  # noqa: BLE001  msgpack, pydantic and numpy raise many kinds for damaged bytes
        return None
    columns = tuple(column.name for column in file.entry.columns)
    is_whole = (statistic.columns, statistic.rows) == (columns, file.entry.rows)
    entry = file.entry.model_copy(update={"columns": statistic.kept})
    size = len(statistic.parts) + 1
    is_whole = is_whole and statistic.factor.shape == (size, size) and card.name == file.entry.name
    data_set = DataSet(card, statistic, file.declared)
    return _Held(entry, data_set) if is_whole and not faults(card, statistic) else None
