"""Taking in a file of rows: streamed into a private folder, read once, and gone before the answer is sent."""

import os
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
from services.console.auth.security import CSRF_HEADER
from services.console.web.access import page_of
from services.console.web.forms import (
    MULTIPART,
    Form,
    parts_of,
    refusing_malformed,
    require_readable,
    text_of,
)
from services.data.row_files import SUFFIXES

_LONGEST_FIELD = 64 << 10
_MOST_PARTS = 16
_CHUNK = 256 << 10
_NO_FILE = "choose a file to upload"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was taken in: where it lies for now, what it was called, and the form's other fields."""

    path: Path
    file_name: str
    fields: dict[str, str]


def forget_received(folder: Path) -> None:
    """Remove what a crash in the middle of an upload left behind: rows must not outlive their reading."""
    for path in private_folder(folder).iterdir():
        path.unlink()


@asynccontextmanager
async def received_file(
    request: web.Request, folder: Path, largest: int, fields: frozenset[str]
) -> AsyncIterator[ReceivedFile]:
    """The uploaded file, of `largest` bytes at most, while the block runs; deleted however that ends.

    Of the form's other inputs those named `fields` are kept.
    Raises HTTPRequestEntityTooLarge beyond the largest upload, DataSetError for a form without a usable file.
    """
    if (request.content_length or 0) > largest + _LONGEST_FIELD:
        raise web.HTTPRequestEntityTooLarge(largest, request.content_length or 0)
    if request.content_type != MULTIPART:
        raise DataSetError(_NO_FILE)
    require_readable(request)
    path = private_folder(folder) / secrets.token_hex(16)
    try:
        if CSRF_HEADER in request.headers:
            with refusing_malformed():
                file = await _streamed(request, path, largest, fields)
        else:
            file = _parsed(await page_of(request).sent(), path, fields)
        yield file
    finally:
        for suffix in SUFFIXES:
            path.with_suffix(suffix).unlink(missing_ok=True)


async def _streamed(request: web.Request, path: Path, largest: int, kept: frozenset[str]) -> ReceivedFile:
    """From a script, whose token is in a header: the body is still to be read, and may be long."""
    fields: dict[str, str] = {}
    file_name = None
    async for part in parts_of(request, _MOST_PARTS):
        if part.name == "file" and file_name is None:
            file_name = clean_name(part.filename or "")
            path = path.with_suffix(_suffix(file_name))
            with _private(path) as file:
                await _stream(part, file, largest)
        elif part.name in kept:
            fields[part.name] = await text_of(part, _LONGEST_FIELD)
    if file_name is None:
        raise DataSetError(_NO_FILE)
    return ReceivedFile(path, file_name, fields)


def _parsed(form: Form, path: Path, fields: frozenset[str]) -> ReceivedFile:
    """From a page without scripts: the token's check has read the body, which was short enough for that."""
    file = form.files.get("file")
    if file is None:
        raise DataSetError(_NO_FILE)
    file_name = clean_name(file.name)
    path = path.with_suffix(_suffix(file_name))
    with _private(path) as kept:
        kept.write(file.content)
    return ReceivedFile(path, file_name, {name: form.texts[name] for name in fields & form.texts.keys()})


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def clean_name(name: str) -> str:
    """A file name without folders and without characters that could disturb a page, a log or a terminal."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    kept = "".join(letter for letter in unicodedata.normalize("NFC", last) if letter.isprintable())
    return kept[-150:]


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
