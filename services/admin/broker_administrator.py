"""A new broker's administrator: a password, and definitions for the broker to load at its first start."""

import json
from collections.abc import Iterable
from pathlib import Path

from services.admin.market_folder import ensure_secret
from services.bus.broker.passwords import HASHING_ALGORITHM, password_hash
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase

ADMINISTRATOR = "administrator"
"""The usual name."""


def provide_administrator(folder: Path, user: str, others: Iterable[str] = ()) -> tuple[Path, Path]:
    """(password file, definitions), made in `folder` unless they are there; `others` get a password alone.

    Raises ConfigurationError when there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}; create it first")
    password, definitions = folder / "password", folder / "definitions.json"
    for file in (password, *(folder / f"{name}-password" for name in others)):
        ensure_secret(file)
    if not definitions.exists():
        administrator = {
            "name": user,
            "password_hash": password_hash(read_passphrase(password)),
            "hashing_algorithm": HASHING_ALGORITHM,
            "tags": ["administrator"],
        }
        # Another user of the system, the broker, reads this. The password is long and random: its hash is of
        # no use for guessing it.
        definitions.write_text(json.dumps({"users": [administrator]}, indent=2) + "\n")
        definitions.chmod(0o644)
    return password, definitions
