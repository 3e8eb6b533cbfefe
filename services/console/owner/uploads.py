"""Taking in a file of rows: streamed into a private folder, read once, and gone before the answer is sent."""

import os
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from aiohttp import BodyPartReader, web

from services.common.errors import DataSetError
from services.common.files import private_folder
from services.console.auth.security import CSRF_FIELD, CSRF_HEADER
from services.console.party import OwnerResources
from services.console.web.access import page_of
from services.console.web.forms import (
    MULTIPART,
    Form,
    parts_of,
    refusing_malformed,
    require_readable,
    text_of,
)
from services.data.catalog import Catalog
from services.data.declarations import Declarations, clip_bounds
from services.data.row_files import SUFFIXES, plain_name
from services.data.row_reader import Import

_LONGEST_FIELD = 64 << 10
_MOST_PARTS = 16
_CHUNK = 256 << 10
_NO_FILE = "choose a file to upload"
_FIELDS = frozenset({CSRF_FIELD, "name", "columns", "categorical", "ranges", "outside", "replace", "action"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken in: where it lies for now, what it was called, and the form's other fields."""

    path: Path
    file_name: str
    fields: dict[str, str]

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
    for path in _folder(catalogue).iterdir():
        path.unlink()


@asynccontextmanager
async def received(request: web.Request, owner: OwnerResources) -> AsyncIterator[Upload]:
    """The uploaded file while the block runs; it is deleted however the block ends.

    Raises HTTPRequestEntityTooLarge beyond the largest upload, DataSetError for a form without a usable file.
    """
    if (request.content_length or 0) > owner.largest_upload + _LONGEST_FIELD:
        raise web.HTTPRequestEntityTooLarge(owner.largest_upload, request.content_length or 0)
    if request.content_type != MULTIPART:
        raise DataSetError(_NO_FILE)
    require_readable(request)
    path = _folder(owner.catalogue) / secrets.token_hex(16)
    try:
        if CSRF_HEADER in request.headers:
            with refusing_malformed():
                upload = await _streamed(request, path, owner.largest_upload)
        else:
            upload = _parsed(await page_of(request).sent(), path)
        yield upload
    finally:
        for suffix in SUFFIXES:
            path.with_suffix(suffix).unlink(missing_ok=True)


async def _streamed(request: web.Request, path: Path, largest: int) -> Upload:
    """From a script, whose token is in a header: the body is still to be read, and may be long."""
    fields: dict[str, str] = {}
    file_name = None
    async for part in parts_of(request, _MOST_PARTS):
        if part.name == "file" and file_name is None:
            file_name = clean_name(part.filename or "")
            path = path.with_suffix(_suffix(file_name))
            with _private(path) as file:
                await _stream(part, file, largest)
        elif part.name in _FIELDS:
            fields[part.name] = await text_of(part, _LONGEST_FIELD)
    if file_name is None:
        raise DataSetError(_NO_FILE)
    return Upload(path, file_name, fields)


def _parsed(form: Form, path: Path) -> Upload:
    """From a page without scripts: the token's check has read the body, which was short enough for that."""
    file = form.files.get("file")
    if file is None:
        raise DataSetError(_NO_FILE)
    file_name = clean_name(file.name)
    path = path.with_suffix(_suffix(file_name))
    with _private(path) as kept:
        kept.write(file.content)
    return Upload(path, file_name, {name: text for name, text in form.texts.items() if name in _FIELDS})


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def clean_name(name: str) -> str:
    """A file name without folders and without characters that could disturb a page, a log or a terminal."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    kept = "".join(letter for letter in unicodedata.normalize("NFC", last) if letter.isprintable())
    return kept[-150:]


def data_set_name(file_name: str) -> str:
    """A name that the catalogue takes, made from a file's."""
    stem = unicodedata.normalize("NFKD", file_name.rpartition(".")[0])
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem.encode("ascii", "ignore").decode())
    return plain.strip("-._")[:100] or "rows"


def _folder(catalogue: Catalog) -> Path:
    return private_folder(catalogue.folder / ".uploads")


def _suffix(file_name: str) -> str:
    if not file_name:
        raise DataSetError(_NO_FILE)
    suffix = Path(file_name).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataSetError(f"{file_name} is not a {' or '.join(SUFFIXES)} file; convert it to one")
    return suffix


async def _stream(part: BodyPartReader, file: BinaryIO, largest: int) -> None:
    size = 0
    while chunk := await part.read_chunk(_CHUNK):
        size += len(chunk)
        if size > largest:
            raise web.HTTPRequestEntityTooLarge(largest, size)
        file.write(chunk)
