"""What keeps strangers' pages and scripts out: headers and masked CSRF tokens."""

import base64
import hmac
import secrets

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
