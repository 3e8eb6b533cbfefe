"""Browsers that have signed in before: a cookie that opens nothing, so that strangers lock nobody out.

As OWASP's "device cookies" do: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import hashlib
import hmac
import secrets

from services.store import Store

_NAME = "console-devices"


class KnownDevices:
    """Marks of browsers, each for one account."""

    def __init__(self, store: Store) -> None:
        """The secret is kept in `store`, so that a restart makes nobody a stranger."""
        self._secret = store.values(_NAME).get("")
        if self._secret is None:
            self._secret = secrets.token_bytes(32)
            store.put_value(_NAME, self._secret)

    def cookie(self, account: str) -> str:
        """What a browser that has signed in to `account` keeps."""
        mark = secrets.token_urlsafe(16)
        return f"{mark}.{self._code(mark, account)}"

    def mark(self, cookie: str, account: str) -> str | None:
        """The mark in a browser's cookie for `account`; None for a stranger's."""
        mark, _point, code = cookie.partition(".")
        own = hmac.compare_digest(code.encode(errors="replace"), self._code(mark, account).encode())
        return mark if own else None

    def _code(self, mark: str, account: str) -> str:
        assert self._secret is not None
        message = f"{len(mark)}:{mark}{account}".encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
