"""Which modules the program can come to: a part that nothing uses yet can show nobody anything."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_STARTS = ("services", "deltaml", "protocol.roles", "protocol.messages")
"""Whatever lies below these is used: all else by what imports it from there."""


@cache
def reached_modules(root: Path) -> frozenset[Path]:
    """Files of the packages that lie below `_STARTS`, or are imported from there by any number of steps."""
    folders = ("protocol", "services", "deltaml")
    modules = {_name(path, root): path for folder in folders for path in (root / folder).rglob("*.py")}
    waiting = [name for name in modules if _is_below(name, *_STARTS)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in modules and name not in found:
            found.add(name)
            waiting += [part for one in _imports(modules[name]) for part in _with_parents(one)]
    return frozenset(modules[name] for name in found)


def _is_below(name: str, *packages: str) -> bool:
    return f"{name}.".startswith(tuple(f"{one}." for one in packages))


def _name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Of a module's syntax tree, each node after those above it; the first is the module."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _imports(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{one.name}" for one in names)
