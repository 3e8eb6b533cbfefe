"""What keeps strangers' pages and scripts out: headers, masked CSRF tokens, known hosts, slow guessing."""

import base64
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # no-referrer would make browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def secure(response: web.StreamResponse, *, tls: bool) -> None:
    """Put the headers on a response; what names no caching is not cached."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if tls:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


# ---- CSRF ----


def masked(token: str) -> str:
    """A token under a fresh pad: a compressed page must not hold the same secret twice (BREACH)."""
    secret = bytes.fromhex(token)
    pad = secrets.token_bytes(len(secret))
    hidden = bytes(a ^ b for a, b in zip(secret, pad, strict=True))
    return base64.urlsafe_b64encode(pad + hidden).decode()


def unmasks_to(given: str, token: str) -> bool:
    """Whether `given` is a masked form of `token`."""
    secret = bytes.fromhex(token)
    try:
        content = base64.b64decode(given.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return False
    if len(content) != 2 * len(secret):
        return False
    pad, hidden = content[: len(secret)], content[len(secret) :]
    return hmac.compare_digest(bytes(a ^ b for a, b in zip(pad, hidden, strict=True)), secret)


class Origins:
    """Under which addresses this console may be reached: a page rebound to ours by DNS has another."""

    def __init__(self, host: str, public_url: str | None, *, tls: bool) -> None:
        """`host` is what the console listens on, `public_url` where a proxy shows it."""
        self._host = host
        self._public = None if public_url is None else urlsplit(public_url).netloc.lower()
        self.tls = tls if public_url is None else public_url.startswith("https://")

    def knows(self, host: str) -> bool:
        """Whether a Host header names this console."""
        name = urlsplit(f"//{host}").hostname or ""
        if self._public is not None and host.lower() == self._public:
            return True
        return name == self._host or (name in _LOOPBACK and self._host in _LOOPBACK)

    def own(self, request: web.Request) -> bool:
        """Whether a request that changes something comes from one of our own pages."""
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site") == "same-origin"
        scheme = "https" if self.tls else "http"
        return origin.lower() == f"{scheme}://{request.host.lower()}"


# ---- guessing passwords ----


class SignInLimit:
    """Back-off by key (account or address): free attempts, then waits that double up to a longest.

    Only so many keys are remembered, those that failed last; an attacker with more addresses than that is
    slowed down by account.
    """

    def __init__(
        self,
        *,
        free: int,
        longest_seconds: float,
        most_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`free` failures cost nothing."""
        self._free, self._longest, self._most, self._clock = free, longest_seconds, most_keys, clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is looked at; 0 for at once."""
        count, at = self._failures.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        pause = min(self._longest, 2.0 ** (count - self._free))
        return max(0.0, at + pause - self._clock())

    def failed(self, key: str) -> None:
        """Count a failure; after a quiet time of twice the longest wait, from the beginning."""
        now = self._clock()
        count, at = self._failures.pop(key, (0, now))
        count = 0 if now - at > 2 * self._longest else count
        self._failures[key] = (min(count + 1, 64), now)
        while len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)
