"""What an owner says of a file of rows that it uploads."""

import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from services.console.auth.security import CSRF_FIELD
from services.console.party import OwnerResources
from services.console.web.uploads import ReceivedFile, forget_received, received_file
from services.data.catalog import Catalog
from services.data.declarations import Declarations, clip_bounds
from services.data.row_files import plain_name
from services.data.row_reader import Import

_FIELDS = frozenset({CSRF_FIELD, "name", "columns", "categorical", "ranges", "outside", "replace", "action"})


@dataclass(frozen=True, slots=True)
class Upload(ReceivedFile):
    """A file that was taken in, with what the form declares of it."""

    @property
    def data_set(self) -> str:
        """The name to keep it under: the one that was typed, or made from the file's."""
        return self.fields.get("name", "").strip() or data_set_name(self.file_name)

    @property
    def read_as(self) -> Import:
        """How the file is to be read.

        Raises MisuseError naming a range that is none.
        """
        clip = clip_bounds(self._ranges) if self._clips else {}
        return Import(self._names("columns") or None, self._names("categorical"), clip)

    @property
    def declared(self) -> Declarations:
        """What is declared on the card: ranges that rows must keep to, unless they are brought into them."""
        return Declarations(ranges=None if self._clips else self._ranges)

    @property
    def declared_columns(self) -> set[str]:
        """The columns whose range was chosen. Raises MisuseError as `read_as` does."""
        return {*self.declared.columns(), *self.read_as.clip}

    @property
    def _clips(self) -> bool:
        return self.fields.get("outside") == "clip"

    @property
    def _ranges(self) -> list[str]:
        return [line.strip() for line in self.fields.get("ranges", "").splitlines() if line.strip()]

    def _names(self, field: str) -> list[str]:
        chosen = (plain_name(name) for name in self.fields.get(field, "").split(","))
        return [name for name in chosen if name]


def forget_uploads(catalogue: Catalog) -> None:
    """Remove what a crash in the middle of an upload left behind: rows must not outlive their reading."""
    forget_received(_folder(catalogue))


@asynccontextmanager
async def received(request: web.Request, owner: OwnerResources) -> AsyncIterator[Upload]:
    """The uploaded file while the block runs; raises as `received_file` does."""
    folder, largest = _folder(owner.catalogue), owner.largest_upload
    async with received_file(request, folder, largest, _FIELDS) as file:
        yield Upload(file.path, file.file_name, file.fields)


def data_set_name(file_name: str) -> str:
    """A name that the catalogue takes, made from a file's."""
    stem = unicodedata.normalize("NFKD", file_name.rpartition(".")[0])
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem.encode("ascii", "ignore").decode())
    return plain.strip("-._")[:100] or "rows"


def _folder(catalogue: Catalog) -> Path:
    return catalogue.folder / ".uploads"
