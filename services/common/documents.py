"""YAML documents that people write: requests and configurations."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.request import Request
from protocol.terms import NATIVE
from services.common.accents import composed
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.common.files import read_bounded
from services.common.problems import request_in

_LONGEST_DOCUMENT = 1 << 20
_DEEPEST = 20
_MOST_NODES = 50_000
"""Of which a request with as many features as there may be has 30,000."""
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,99})", re.ASCII)
_PART = re.compile(r"-?((0|[1-9]\d{0,99})\.\d*|\.\d+)([eE][-+]\d{1,3})?", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0\d+", re.ASCII)
_REMEDIES = {
    "bool": "write true or false, or put it in quotes if it is a text",
    "null": "write null, or put it in quotes if it is a text",
    "timestamp": "put it in quotes",
    "merge": "write the fields themselves",
    "int": "write a number in plain decimal digits, or put it in quotes if it is a text",
}


class _Loader(yaml.SafeLoader):
    """Safe YAML without what makes a document mean something else than a person reads in it.

    Refused: a key given twice, aliases, tags, merged mappings, depth, and unquoted words that YAML 1.1 takes
    for another number, a truth value, a time or nothing. Addresses are in lower case, their checksum checked.
    """

    _depth = _nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):  # nested aliases unfold to gigabytes
            raise ConstructorError(None, None, "aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None) is not None:
            problem = "tags are not allowed; put a text in quotes"
            raise ConstructorError(None, None, problem, event.start_mark)
        self._nodes += 1
        if self._depth == _DEEPEST:
            raise ConstructorError(None, None, f"more than {_DEEPEST} levels", event.start_mark)
        if self._nodes > _MOST_NODES:
            raise ConstructorError(None, None, f"more than {_MOST_NODES} keys and values", event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        known = set()
        for key, _ in node.value:
            name = self.construct_object(key) if isinstance(key, yaml.ScalarNode) else None
            if name in known:
                raise ConstructorError(None, None, f"key {name!r} is given twice", node.start_mark)
            known.add(name)
        return super().construct_mapping(node, deep=deep)

    def construct_plain(self, node: Any) -> Any:
        """A value as it is written, or a refusal."""
        kind = node.tag.rpartition(":")[2]
        if kind == "str" or is_address(node.value):
            return self._text(node)
        if kind == "null" and node.value in ("", "null"):
            return None
        if kind == "bool" and node.value in ("true", "false"):
            return node.value == "true"
        if kind == "int" and _WHOLE.fullmatch(node.value):
            return int(node.value)
        if kind == "int" and node.value.startswith("0x"):
            return node.value
        if kind == "float" and _PART.fullmatch(node.value) and math.isfinite(float(node.value)):
            return float(node.value)
        problem = f"{node.value[:40]!r} can be read in several ways; {_REMEDIES.get(kind, _REMEDIES['int'])}"
        raise ConstructorError(None, None, problem, node.start_mark)

    def _text(self, node: Any) -> str:
        text = str(node.value)
        if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise ConstructorError(None, None, "a text holds half a character", node.start_mark)
        if node.style is None and _LEADING_ZERO.fullmatch(text):
            problem = f"{text[:40]!r} can be read in several ways; {_REMEDIES['int']}"
            raise ConstructorError(None, None, problem, node.start_mark)
        try:
            return plain_address(text)
        except ConfigurationError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from None


for _kind in ("str", "null", "bool", "int", "float", "timestamp", "merge", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_plain)


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
    """The request in a YAML file; raises ConfigurationError, or MisuseError naming the wrong fields.

    Accents are brought into one form (NFC), in which data sets have their columns' names.
    """
    try:
        return request_in(request_fields(read_yaml(path)))
    except MisuseError as error:
        raise MisuseError(f"{path}: {error}") from None


def request_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """A request as a person writes it, as its own rules have it: accents in one form, the deposit in wei.

    `payment.deposit` is an amount with its unit, as 0.1 ETH, in the place of `payment.deposit_wei`. Raises
    MisuseError for another, where both are given, and beside a token, whose decimals no document tells.
    """
    fields: dict[str, Any] = composed(dict(document))
    payment = fields.get("payment")
    if not isinstance(payment, dict) or "deposit" not in payment:
        return fields
    others = {name: value for name, value in payment.items() if name != "deposit"}
    if others.get("token", NATIVE) != NATIVE:
        raise MisuseError(
            "payment.deposit is an amount of the chain's own coin; with payment.token give "
            "payment.deposit_wei, a whole number of the token's smallest units"
        )
    if "deposit_wei" in others:
        raise MisuseError("payment.deposit and payment.deposit_wei are both given; leave one of them out")
    return {**fields, "payment": {**others, "deposit_wei": _deposit(payment["deposit"])}}


def _deposit(written: object) -> int:
    if not isinstance(written, str) or not written.strip()[-1:].isalpha():
        raise MisuseError(
            f"payment.deposit: {str(written)[:60]!r} has no unit; write it with one: {MARKET_ASSET.examples}"
        )
    try:
        return MARKET_ASSET.parse(written)
    except MisuseError as error:
        raise MisuseError(f"payment.deposit: {error}") from None
