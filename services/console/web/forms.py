"""What a form holds: UTF-8 within limits, or refused before anything is decoded.

The library decodes a form in whatever charset the client names, and some take a time that grows with the
square of the length. It also skips whatever stands before a multipart form's first boundary, line by line.
"""

import asyncio
import re
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

_URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_UTF_8 = frozenset({"utf-8", "utf8"})
_CHUNK = 64 << 10
_PARSED_AT_ONCE = 16 << 10
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_LONGEST_PART_HEADER, _MOST_PART_HEADERS = 2048, 8


@dataclass(frozen=True, slots=True)
class FormLimits:
    """Of a form: bytes in all, fields, bytes of one field's text, and seconds until it must be there."""

    size: int
    fields: int
    field: int
    seconds: float


SMALL = FormLimits(size=16 << 10, fields=16, field=4 << 10, seconds=30.0)
"""What whoever is not an operator may send: signing in, a choice of language."""
LARGE = FormLimits(size=2 << 20, fields=1024, field=512 << 10, seconds=300.0)
"""An operator's: a request with 256 columns has 800 fields."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that was sent in a form."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """Texts and files by the names of their inputs; of several of one name the last."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, SentFile] = field(default_factory=dict)


async def read_form(request: web.Request, limits: FormLimits) -> Form:
    """The form in a request's body.

    Raises HTTPUnsupportedMediaType for what is no form in UTF-8, HTTPRequestEntityTooLarge beyond the limits,
    HTTPRequestTimeout for one that takes too long, HTTPBadRequest for a malformed one.
    """
    if not request.can_read_body:
        return Form()
    require_readable(request)
    if (request.content_length or 0) > limits.size:
        raise _too_large(limits.size)
    reader = {MULTIPART: _multipart, _URLENCODED: _urlencoded}.get(request.content_type)
    if reader is None:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(limits.seconds):
            with refusing_malformed():
                return await reader(request, limits)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


def require_readable(request: web.Request) -> None:
    """Raise HTTPUnsupportedMediaType for a body that is compressed, or in another charset than UTF-8."""
    _require_utf_8(request.charset)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType


@contextmanager
def refusing_malformed() -> Iterator[None]:
    """Raise HTTPBadRequest for whatever the library or a decoder finds wrong with a body."""
    try:
        yield
    except (ValueError, RuntimeError, HttpProcessingError, web.RequestPayloadError):
        raise web.HTTPBadRequest from None


async def parts_of(request: web.Request, most: int) -> AsyncIterator[BodyPartReader]:
    """The parts of a multipart form, `most` at most; for use within `refusing_malformed`."""
    reader = MultipartReader(
        request.headers,
        await _from_first_boundary(request),
        max_field_size=_LONGEST_PART_HEADER,
        max_headers=_MOST_PART_HEADERS,
    )
    number = 0
    async for part in reader:
        number += 1
        if number > most:
            raise _too_large(most)
        if not isinstance(part, BodyPartReader):
            raise web.HTTPBadRequest
        yield part


async def text_of(part: BodyPartReader, longest: int) -> str:
    """A part as text; raises HTTPRequestEntityTooLarge, HTTPUnsupportedMediaType or HTTPBadRequest."""
    _require_utf_8(part.get_charset("utf-8"))
    return _clean((await _content(part, longest)).decode())


def _require_utf_8(charset: str | None) -> None:
    if charset is not None and charset.lower() not in _UTF_8:
        raise web.HTTPUnsupportedMediaType


def _too_large(limit: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(limit)


async def _urlencoded(request: web.Request, limits: FormLimits) -> Form:
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limits.size:
            raise _too_large(limits.size)
    if len(body) <= _PARSED_AT_ONCE:
        return _parsed(bytes(body), limits)
    return await asyncio.to_thread(_parsed, bytes(body), limits)


def _parsed(body: bytes, limits: FormLimits) -> Form:
    if body.count(b"&") >= limits.fields:
        raise _too_large(limits.fields)
    texts: dict[str, str] = {}
    for pair in filter(None, body.split(b"&")):
        name, _, text = pair.partition(b"=")
        texts[_unquoted(name, limits.field)] = _unquoted(text, limits.field)
    return Form(texts)


def _unquoted(part: bytes, longest: int) -> str:
    """A name or value; the standard library's way takes eighty times the bytes of one that is all escapes."""
    content, done = bytearray(), 0
    part = part.replace(b"+", b" ")
    for escape in _ESCAPE.finditer(part):
        content += part[done : escape.start()]
        content.append(int(escape[1], 16))
        done = escape.end()
    content += part[done:]
    if len(content) > longest:
        raise _too_large(longest)
    return _clean(content.decode())


def _clean(text: str) -> str:
    if "\0" in text:  # databases refuse it
        raise web.HTTPBadRequest
    return text


async def _multipart(request: web.Request, limits: FormLimits) -> Form:
    texts: dict[str, str] = {}
    files: dict[str, SentFile] = {}
    async for part in parts_of(request, limits.fields):
        name = _clean(part.name or "")
        if part.filename is None:
            texts[name] = await text_of(part, limits.field)
        else:
            files[name] = SentFile(_clean(part.filename), await _content(part, limits.size))
        if request.content.total_bytes > limits.size:
            raise _too_large(limits.size)
    return Form(texts, files)


async def _content(part: BodyPartReader, longest: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        content += chunk
        if len(content) > longest:
            raise _too_large(longest)
    return bytes(content)


async def _from_first_boundary(request: web.Request) -> StreamReader:
    """The body, if it begins with a boundary: what may stand before it is skipped a line at a time."""
    line = await request.content.readline(max_line_length=_LONGEST_PART_HEADER)
    if not line.startswith(b"--"):
        raise web.HTTPBadRequest
    with warnings.catch_warnings():
        # Deprecated, and how the library itself puts boundaries back.
        warnings.simplefilter("ignore", DeprecationWarning)
        request.content.unread_data(line)
    return request.content
