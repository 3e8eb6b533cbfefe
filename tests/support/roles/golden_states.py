"""Packed states of this version, kept as files: what a later version must still read.

`python -m tests.support.roles.golden_states` writes those of the version in pyproject.toml, one for each
phase of each role. Only those of a version that is not released may be made anew; others never change. Beside
them lie those in which trainings with the plain rounds of earlier versions ended.
"""

import tomllib
from pathlib import Path

from tests.support.roles.checked_golden import checked_states

FOLDER = Path(__file__).parents[2] / "protocol" / "roles" / "golden"
CHECKED = "checked"
FIELDS = "fields"
"""The folder in it of further states, in which fields are used that are at their defaults in the others."""
_PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def version() -> str:
    """This version."""
    return str(tomllib.loads(_PROJECT.read_text())["project"]["version"])


def write_states() -> None:
    """The smallest state of every place that a party of checked rounds comes to, and those of `FIELDS`."""
    folder = FOLDER / version() / CHECKED
    for place, states in zip((folder, folder / FIELDS), checked_states(), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        for name, state in states.items():
            (place / f"{name}.msgpack").write_bytes(state)


if __name__ == "__main__":
    write_states()
