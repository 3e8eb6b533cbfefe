"""YAML documents that people write: requests and configurations."""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from protocol.errors import MisuseError
from protocol.request import Request, parse_request
from services.common.errors import ConfigurationError
from services.common.files import read_bounded

_LONGEST_DOCUMENT = 1 << 20
_DEEPEST = 20
_MOST_NODES = 50_000
"""Of which a request with as many features as there may be has 30,000."""


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, aliases, depth and masses; hexadecimal stays text."""

    _depth = 0
    _nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # nested aliases unfold to gigabytes
            raise ConstructorError(None, None, "aliases are not allowed", parent.start_mark)
        if self._depth == _DEEPEST:
            raise ConstructorError(None, None, f"more than {_DEEPEST} levels", parent.start_mark)
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise ConstructorError(None, None, f"more than {_MOST_NODES} keys and values", parent.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            counted = Counter(self.construct_object(key) for key, _ in node.value)
            twice = counted.most_common(1)[0][0]
            raise ConstructorError(None, None, f"key {twice!r} is given twice", node.start_mark)
        return mapping

    def construct_yaml_int(self, node: Any) -> Any:
        if node.value.lower().startswith("0x"):
            return node.value
        return super().construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read_yaml(path: Path | str) -> dict[str, Any]:
    """The mapping in a YAML file of at most 1 MiB.

    Raises ConfigurationError, with line and column, when it is missing, not YAML, or not a mapping.
    """
    return parse_yaml(read_bounded(Path(path), _LONGEST_DOCUMENT), str(path))


def parse_yaml(content: bytes, place: str) -> dict[str, Any]:
    """The mapping in YAML text; `place` names it in errors. Raises ConfigurationError as `read_yaml` does."""
    if len(content) > _LONGEST_DOCUMENT:
        raise ConfigurationError(f"{place} is longer than {_LONGEST_DOCUMENT} bytes")
    try:
        document = yaml.load(content, Loader=_Loader)  # noqa: S506  a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{place}{where}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError):
        raise ConfigurationError(f"{place} is not YAML text") from None
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise ConfigurationError(f"{place} must hold fields, one `name: value` a line")
    return document


def load_request(path: Path | str) -> Request:
    """The request in a YAML file; raises ConfigurationError, or MisuseError naming the wrong fields."""
    try:
        return parse_request(read_yaml(path))
    except MisuseError as error:
        raise MisuseError(f"{path}: {error}") from None
