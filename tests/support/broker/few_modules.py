"""Descriptions of Erlang's applications without their modules: a broker starts with two thirds of the work.

At each start RabbitMQ asks every module of every loaded application for its boot steps and feature flags, and
so loads and compiles thousands that it never uses. None but its own has any. A module is still found by its
name.
"""

import re
from pathlib import Path

_PLACES = ("/usr/lib/erlang/lib/*/ebin/*.app", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins/*/ebin/*.app")
_MODULES = re.compile(r"\{\s*modules\s*,\s*\[[^\]]*\]\s*\}")
_WHOLE = ("kernel", "stdlib", "sasl", "rabbit")
"""What begins so stays as it is: what Erlang starts from, and RabbitMQ's own."""


def write_descriptions(folder: Path) -> Path:
    """The folder with the descriptions, which goes before all others in the broker's path of code."""
    folder.mkdir()
    for place in _PLACES:
        for file in Path("/").glob(place.lstrip("/")):
            if not file.name.startswith(_WHOLE):
                (folder / file.name).write_text(_MODULES.sub("{modules,[]}", file.read_text()))
    return folder
