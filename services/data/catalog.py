"""An owner's data sets by name, each kept as its statistic: the rows stay in the file they came from.

One file per data set, `NAME.dataset`, holds metadata and factor together, so that replacing one is a single
rename and a reader never sees half of it. The factor determines the columns' means and covariances: it is as
private as the rows.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
from pydantic import BaseModel, Field, ValidationError

from protocol.learning.statistic import Statistic
from services.common.errors import DataSetError
from services.common.files import private_folder, read_private, write_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIX = ".dataset"


class ColumnRange(BaseModel, frozen=True, extra="forbid"):
    """A column and the range of its values."""

    name: str
    minimum: float
    maximum: float


class Entry(BaseModel, frozen=True, extra="forbid"):
    """What an owner sees of a data set; `source` is the file it was read from, if it is still there."""

    name: str
    rows: int = Field(ge=1)
    columns: tuple[ColumnRange, ...]
    source: str
    added_at: datetime


class _File(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    entry: Entry
    statistic: bytes = Field(repr=False)


class Catalog:
    """A folder of data sets, for its owner alone."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder; raises ConfigurationError when others can enter it."""
        self.folder = private_folder(Path(folder))
        self._read_last: tuple[frozenset[tuple[str, int, int]], dict[str, Statistic]] = (frozenset(), {})

    def add(
        self,
        name: str,
        statistic: Statistic,
        source: Path | str,
        *,
        replace: bool = False,
        now: datetime | None = None,
    ) -> Entry:
        """Keep a statistic; raises DataSetError for a name that is wrong, or taken unless `replace`.

        `source` is the file it was read from, or words for where it came from.
        """
        path = self._path(name)
        if not replace:
            self.require_free(name)
        ranges = zip(statistic.columns, statistic.minimum, statistic.maximum, strict=True)
        entry = Entry(
            name=name,
            rows=statistic.rows,
            columns=tuple(
                ColumnRange(name=column, minimum=float(low), maximum=float(high))
                for column, low, high in ranges
            ),
            source=str(source.absolute() if isinstance(source, Path) else source),
            added_at=now or datetime.now(UTC),
        )
        content = {"entry": entry.model_dump(mode="json"), "statistic": statistic.to_bytes()}
        write_private(path, msgpack.packb(content), replace=replace)
        return entry

    def require_free(self, name: str) -> None:
        """Raise DataSetError for a name that is wrong or taken."""
        if self._path(name).exists():
            raise DataSetError(f"there is a data set {name!r} already; choose another name or replace it")

    def list(self) -> tuple[Entry, ...]:
        """All data sets by name; raises DataSetError naming one that is damaged."""
        return tuple(self.entry(path.stem) for path in self._files())

    def manifest(self) -> frozenset[tuple[str, int, int]]:
        """Name, file number and time of change of every data set: another one when anything was changed."""
        entries = set()
        for path in self._files():
            with suppress(FileNotFoundError):  # removed between two looks
                state = path.stat()
                entries.add((path.stem, state.st_ino, state.st_mtime_ns))
        return frozenset(entries)

    def entry(self, name: str) -> Entry:
        """One data set's description; raises DataSetError when there is none or it is damaged."""
        return self._read(name).entry

    def load(self, name: str) -> Statistic:
        """One data set's statistic; raises DataSetError when there is none or it is damaged."""
        content = self._read(name).statistic
        try:
            return Statistic.from_bytes(content)
        except Exception:  # noqa: BLE001  numpy raises many kinds for bytes that are not an archive
            raise self._damaged(name) from None

    def all(self) -> dict[str, Statistic]:
        """Every data set's statistic by name; raises DataSetError naming one that is damaged.

        Files are read again when something was changed: each step of each training asks.
        """
        manifest = self.manifest()
        if manifest != self._read_last[0]:
            self._read_last = manifest, {entry.name: self.load(entry.name) for entry in self.list()}
        return dict(self._read_last[1])

    def remove(self, name: str) -> None:
        """Forget a data set; the file it came from stays. Raises DataSetError when there is none."""
        self._existing(name).unlink()

    def _read(self, name: str) -> _File:
        content = read_private(self._existing(name))
        try:
            return _File.model_validate(msgpack.unpackb(content, strict_map_key=True))
        except (ValueError, ValidationError, msgpack.exceptions.UnpackException):
            raise self._damaged(name) from None

    def _files(self) -> Sequence[Path]:
        return sorted(self.folder.glob(f"[!.]*{_SUFFIX}"), key=lambda path: path.stem)

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            known = ", ".join(file.stem for file in self._files())
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

    def _damaged(self, name: str) -> DataSetError:
        return DataSetError(f"{self.folder / name}{_SUFFIX} is damaged; remove it and add the data set again")
