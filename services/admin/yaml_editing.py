"""Changing one value in a configuration that people may have written in: what else stands there stays."""

from pathlib import Path
from typing import Any

import yaml

from services.common.documents import parse_yaml, read_yaml
from services.common.errors import ConfigurationError
from services.common.files import write_private


def set_value(file: Path, key: str, value: Any) -> bool:
    """Give a top-level key of a YAML file another value; false where it has it already.

    Raises ConfigurationError for a file that is not YAML.
    """
    document = read_yaml(file)
    if key in document and document[key] == value:
        return False
    text = file.read_text(encoding="utf-8")
    changed = with_value(text, key, value)
    wanted = {**document, key: value}
    if not _holds(changed, wanted):  # a way of writing that is not foreseen here
        changed = _dumped(wanted)
    write_private(file, changed.encode())
    return True


def with_value(text: str, key: str, value: Any) -> str:
    """YAML text whose top-level `key` has this value; comments and all other lines are as they were."""
    new = _dumped({key: value}).rstrip("\n")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for name, node in [] if root is None else root.value:
        if name.value == key:
            begin, end = name.start_mark.index, node.end_mark.index
            return text[:begin] + new + _after(text[begin:end]) + text[end:]
    return f"{text.rstrip()}\n{new}\n"


def _holds(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return parse_yaml(text.encode(), "the text") == wanted
    except ConfigurationError:
        return False


def _after(old: str) -> str:
    """What follows a value and belongs to the next key: a block ends where that begins."""
    lines = old.splitlines(keepends=True)
    kept = len(lines)
    while kept > 1 and (not lines[kept - 1].strip() or lines[kept - 1].startswith("#")):
        kept -= 1
    ending = "\n" if lines[kept - 1].endswith("\n") else ""
    return ending + "".join(lines[kept:])


def _dumped(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
