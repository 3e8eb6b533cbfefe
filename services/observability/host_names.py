"""By which names metrics and health are asked for.

A page in somebody's browser can have a name of its own point to a loopback or inner address, and read what
answers there (DNS rebinding). It cannot do so with an address, nor with a name without a dot: it has neither.
"""

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


def answering_to(names: Collection[str]) -> Middleware:
    """A middleware that answers 421 where Host is none of `names`, no address and has a dot."""
    known = {name.lower().rstrip(".") for name in (*names, socket.gethostname())}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host")
        if host is not None and not _is_ours(host, known):
            text = "this name is not known here: ask by address, or name it in metrics_names\n"
            return web.Response(text=text, status=421)
        return await handler(request)

    return check


def _is_ours(host: str, known: Collection[str]) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if not name or "@" in host:
        return False
    return ("." not in name and ":" not in name) or name in known or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
