"""What the search needs to know of a parser."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack


@dataclass(frozen=True)
class Parser:
    """A reader of untrusted bytes; `run` returns, or raises one of `errors`, or has a fault."""

    name: str
    run: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    examples: Callable[[], list[bytes]]
    """Valid inputs to begin with."""

    form: str = "bytes"
    """What the inputs are made of, as `tests.fuzz.mutation.TREES` names it."""


class NoInput(Exception):  # noqa: N818
    """Bytes that do not say anything to the parser: the harness itself cannot read them."""


def tree_of(content: bytes) -> Any:
    """The values of a parser that takes values: they travel through the search as msgpack."""
    try:
        return msgpack.unpackb(content, strict_map_key=False)
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise NoInput from error


def mapping_of(content: bytes) -> dict[str, Any]:
    """The same for one that takes a mapping with names."""
    tree = tree_of(content)
    if not isinstance(tree, dict) or not all(isinstance(name, str) for name in tree):
        raise NoInput
    return tree
