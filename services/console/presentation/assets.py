"""Style, scripts and libraries out of the package: read, compressed and named by their hash once."""

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from aiohttp import web

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent from `url`: another content has another, so it may be kept for ever."""

    path: str
    url: str
    content: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    content_type: str

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """The file under `path`."""
        url = f"/static/{hashlib.sha256(content).hexdigest()[:16]}/{path}"
        return cls(path, url, content, gzip.compress(content, 9, mtime=0), _TYPES[Path(path).suffix])


@cache
def _packaged() -> tuple[Asset, ...]:
    files = [file for file in _FOLDER.rglob("*") if file.suffix in _TYPES]
    return tuple(Asset.of(file.relative_to(_FOLDER).as_posix(), file.read_bytes()) for file in files)


class Assets:
    """All files that pages refer to; a process reads them once for all its consoles."""

    def __init__(self) -> None:
        """Read them."""
        self.by_path = {asset.path: asset for asset in _packaged()}
        self._by_url = {asset.url: asset for asset in _packaged()}

    def url(self, path: str) -> str:
        """The address of a file; raises KeyError for one that is not there."""
        return self.by_path[path].url

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a request for a file."""
        asset = self._by_url.get(request.path)
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": asset.content_type, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.compressed, headers=headers)
        return web.Response(body=asset.content, headers=headers)
