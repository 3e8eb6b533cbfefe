"""Local accounts: names, roles and Argon2id hashes in a file that its owner alone can read."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.common.errors import ConfigurationError
from services.common.files import read_private, write_private

AccountRole = Literal["viewer", "operator"]
"""A viewer reads; an operator acts too."""

LEAST_PASSWORD = 12
_LONGEST_PASSWORD = 1024
_LONGEST_FILE = 1 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Account(BaseModel):
    """One person; `generation` rises with every change, and sessions of an earlier one end."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    role: AccountRole
    password: str = Field(repr=False)
    generation: Annotated[int, Field(ge=1)] = 1


_FILE = TypeAdapter(dict[str, Account])


class Accounts:
    """The accounts in a file; another process may change it while the daemon runs."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._known: dict[str, Account] = {}

    def all(self) -> dict[str, Account]:
        """By name. Raises ConfigurationError for a file that cannot be used."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._known = None, {}
            return self._known
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            self._known = _read(self.path)
            self._stamp = stamp
        return self._known

    def get(self, name: str) -> Account | None:
        """The account of this name."""
        return self.all().get(name)

    def verify(self, name: str, password: str) -> Account | None:
        """The account, if this is its password; slow on purpose, and as slow for a name that is not there."""
        account = self.get(name)
        stored = _nobody() if account is None else account.password
        try:
            argon2id.verify(stored.encode(), password[:_LONGEST_PASSWORD].encode())
        except InvalidkeyError:
            return None
        return account

    def add(self, name: str, password: str, role: AccountRole) -> None:
        """A new account; raises ConfigurationError for a name that is taken or cannot be one."""
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name[:64]!r} cannot be an account's name: use up to 64 of a-z, 0-9, '.', '_', '@' and '-'"
            )
        accounts = self.all()
        if name in accounts:
            raise ConfigurationError(f"there is an account {name} already; change its password with passwd")
        self._write({**accounts, name: Account(role=role, password=hashed(required(password)))})

    def change_password(self, name: str, password: str) -> None:
        """Ends every session of the account. Raises ConfigurationError for an unknown name."""
        before = self._required(name)
        changes = {"password": hashed(required(password)), "generation": before.generation + 1}
        self._write({**self.all(), name: before.model_copy(update=changes)})

    def remove(self, name: str) -> None:
        """Ends every session of the account, too. Raises ConfigurationError for an unknown name."""
        self._required(name)
        self._write({other: account for other, account in self.all().items() if other != name})

    def _required(self, name: str) -> Account:
        account = self.get(name)
        if account is None:
            raise ConfigurationError(f"{self.path} has no account {name[:64]!r}; list them with: user list")
        return account

    def _write(self, accounts: dict[str, Account]) -> None:
        write_private(self.path, _FILE.dump_json(dict(sorted(accounts.items())), indent=2) + b"\n")


def hashed(password: str) -> str:
    """Argon2id with libsodium's limits for people who wait (64 MiB)."""
    return argon2id.str(password.encode()).decode()


@cache
def _nobody() -> str:
    """What the password given for a name that is not there is compared with."""
    return hashed("nobody has this password")


def required(password: str) -> str:
    """The password; raises ConfigurationError when it is too short or too long."""
    if not LEAST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise ConfigurationError(
            f"the password has {len(password)} characters; take {LEAST_PASSWORD} to {_LONGEST_PASSWORD}"
        )
    return password


def _read(path: Path) -> dict[str, Account]:
    content = read_private(path, _LONGEST_FILE)
    try:
        return _FILE.validate_json(content)
    except ValidationError:
        raise ConfigurationError(
            f"{path} is not a file of accounts; make it with: deltaml console user add"
        ) from None
