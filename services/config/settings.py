"""What all configuration sections are made of."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from protocol.types import Address
from services.common.addresses import WrongChecksum, plain_address
from services.common.urls import is_url

FOLDER = "folder"
"""The key of the validation context under which the configuration file's folder is."""


def _relative(value: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get(FOLDER, Path())
    return folder / value.expanduser()


def store_url(value: str, info: ValidationInfo) -> str:
    """The URL of a database, or of the SQLite file with this path; raises ValueError for any other."""
    if "://" not in value:
        return f"sqlite:///{_relative(Path(value), info)}"
    if not value.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("give the path of an SQLite file or a URL that begins with postgresql://")
    return _without_password(value)


def _without_password(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise ValueError("holds a password; put it into a file (password_file, or .pgpass for PostgreSQL)")
    return value


def url_of(*schemes: str) -> AfterValidator:
    """Checks for a URL of one of these schemes that holds no password."""
    beginnings = " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: str) -> str:
        _without_password(value)
        if not is_url(value, schemes):
            raise ValueError(f"must be a URL that begins with {beginnings}")
        return value

    return AfterValidator(check)


def _plain(value: object) -> object:
    try:
        return plain_address(value) if isinstance(value, str) else value
    except WrongChecksum as error:
        raise ValueError(str(error)) from None


FilePath = Annotated[Path, AfterValidator(_relative)]


Account = Annotated[Address, BeforeValidator(_plain)]
"""An address in any case, as `plain_address` takes it."""


def without_rounds(given: Any) -> Any:
    """A document without `rounds: checked`, which earlier versions wrote: there is no other kind any more.

    Raises ValueError, with the remedy, for another kind: trainings begun so only an earlier version can end.
    """
    if not isinstance(given, dict) or "rounds" not in given:
        return given
    if given["rounds"] != "checked":
        raise ValueError(
            f"rounds: {given['rounds']} is no more: let the trainings of this market end with the version "
            "before, then upgrade, and take the line out"
        )
    return {name: value for name, value in given.items() if name != "rounds"}


class Settings(BaseModel):
    """Base of every section; immutable."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        str_strip_whitespace=True,
    )
