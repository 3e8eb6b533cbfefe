"""Who is signed in: kept by the server, in the daemon's store, so that a restart signs nobody out.

The cookie holds 256 random bits and the store only their hash: who reads the store cannot sign in with it.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from services.console.auth.accounts import AccountRole, Accounts
from services.store import Store

_PREFIX = "console-session:"
IDLE_SECONDS = 3600.0
ABSOLUTE_SECONDS = 12 * 3600.0
_TOUCH_SECONDS = 60.0
_MOST_PER_ACCOUNT = 20


@dataclass(frozen=True, slots=True)
class Session:
    """One browser; `csrf` is the hexadecimal token that its forms must carry."""

    account: str
    role: AccountRole
    generation: int
    csrf: str
    started_at: float
    seen_at: float


class Sessions:
    """All sessions of a console."""

    def __init__(self, store: Store, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        """Sessions are read from `store` at once; those of changed accounts count no more."""
        self._store, self._accounts, self._clock = store, accounts, clock
        self._known = {
            name: Session(**json.loads(content)) for name, content in store.values(_PREFIX).items()
        }

    def start(self, account: str) -> str:
        """A new session of an account that gave its password; returns the cookie's value."""
        known = self._accounts.get(account)
        assert known is not None
        self._forget_old(account)
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(account, known.role, known.generation, secrets.token_hex(32), now, now)
        self._keep(_name(token), session)
        return token

    def of(self, token: str, *, used: bool = True) -> Session | None:
        """The session of a cookie, unless it has expired or its account has changed since.

        `used` puts off its end for want of use.
        """
        name = _name(token)
        session = self._known.get(name)
        if session is None:
            return None
        now = self._clock()
        if not self._holds(session, now):
            self._forget(name)
            return None
        if used and now - session.seen_at > _TOUCH_SECONDS:  # a write for each click would be too many
            session = replace(session, seen_at=now)
            self._keep(name, session)
        return session

    def end(self, token: str) -> None:
        """Sign out; unknown tokens are ignored."""
        self._forget(_name(token))

    def _holds(self, session: Session, now: float) -> bool:
        account = self._accounts.get(session.account)
        return (
            account is not None
            and (account.generation, account.role) == (session.generation, session.role)
            and now - session.seen_at < IDLE_SECONDS
            and now - session.started_at < ABSOLUTE_SECONDS
        )

    def _keep(self, name: str, session: Session) -> None:
        self._known[name] = session
        self._store.put_value(_PREFIX + name, json.dumps(asdict(session)).encode())

    def _forget(self, name: str) -> None:
        if self._known.pop(name, None) is not None:
            self._store.put_value(_PREFIX + name, None)

    def _forget_old(self, account: str) -> None:
        """Expired sessions of everybody, and the oldest of an account that has too many."""
        now = self._clock()
        for name, session in list(self._known.items()):
            if not self._holds(session, now):
                self._forget(name)
        own = [name for name, session in self._known.items() if session.account == account]
        own.sort(key=lambda name: self._known[name].seen_at)
        for name in own[: max(0, len(own) + 1 - _MOST_PER_ACCOUNT)]:
            self._forget(name)


def _name(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
