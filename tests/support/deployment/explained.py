"""What the program can show to an operator, found in its sources; and what its pages explain."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.deployment.reached import nodes_of, reached_modules

ROOT = Path(__file__).parents[3]
_LOGGED = ("warning", "error", "exception", "critical")
_RAISED = {
    "ProtocolViolation": 0,
    "TrainingFailure": 0,
    "require": 1,
    "fail": 1,
    "give_up": 1,
    "cancel": 1,
    "_remove": 1,
}
"""Calls that take a code, and at which place."""

_RETURNING = ("objection", "refusal_code", "_code_of", "_said_no", "_waits")
_SNAKE = re.compile(r"[a-z]+(?:_[a-z]+)*")


def lines_that_warn() -> set[str]:
    """The events of all lines that a daemon logs as a warning or worse."""
    return {name for name, _ in _logged()}


def lines_by_their_end() -> dict[str, str]:
    """By the line that tells of an outage, the one that tells that it is over."""
    return {name: ended for name, ended in _logged() if ended}


def codes() -> set[str]:
    """Every code that roles and services can come to: of refusals, answers, failures and notices."""
    found: set[str] = set()
    reached = reached_modules(ROOT)
    for path in _files("protocol", "services"):
        if "console" in path.parts or "messages" in path.parts or path not in reached:
            continue
        for node in nodes_of(path):
            found.update(_codes_in(node))
    return found


def _logged() -> Iterator[tuple[str, str]]:
    for path in _files("services"):
        for node in nodes_of(path):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=level), args=[first, *_]):
                    if level in _LOGGED:
                        yield from ((name, "") for name in _texts(first))
                case ast.Call(func=ast.Name(id="_watch"), args=[_, _, _, first, _]):
                    yield from ((name, "") for name in _texts(first))
                case ast.Call(func=ast.Name(id="Outage"), args=[_, first, second]):
                    yield from zip(_texts(first), _texts(second), strict=True)


def _codes_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
            if name in _RAISED and len(args) > _RAISED[name]:
                yield from _texts(args[_RAISED[name]])
            if name in ("drop_notices", "next_attempt", "_named") and len(args) > 3:
                yield from _texts(args[3])
            for keyword in keywords:
                if keyword.arg in ("code", "failure"):
                    yield from _texts(keyword.value)
        case ast.Assign(targets=[ast.Name(id="code" | "failure")], value=value):
            yield from _texts(value)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in _RETURNING:
            for one in ast.walk(node):
                if isinstance(one, ast.Return) and one.value is not None:
                    yield from _texts(one.value)


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, where they are written out or a constant's."""
    match node:
        case ast.Constant(value=str(text)) if _SNAKE.fullmatch(text):
            yield text
        case ast.Name(id=name) if name.isupper():
            yield from _constants().get(name, ())
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)


@cache
def _constants() -> dict[str, set[str]]:
    """What the modules' constants of a name are, where that has the form of a code."""
    found: dict[str, set[str]] = {}
    for path in reached_modules(ROOT) & {*_files("protocol", "services")}:
        module = nodes_of(path)[0]
        for node in module.body if isinstance(module, ast.Module) else ():
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    if name.isupper() and _SNAKE.fullmatch(text):
                        found.setdefault(name, set()).add(text)
    return found


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def section(page: str, heading: str) -> str:
    """The text of a page under a heading, up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    text = (ROOT / "deploy" / page).read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every table in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if any("`" in cell for cell in row)]


def words_of_the_program() -> set[str]:
    """Every name of several words in the program, its alerts and the samples of its configurations."""
    kinds = {"protocol": "py", "services": "py", "deploy/prometheus": "yml", "deploy/config": "yaml"}
    paths = [path for folder, kind in kinds.items() for path in (ROOT / folder).rglob(f"*.{kind}")]
    return {
        name for path in paths for name in re.findall(r"[a-z]+(?:_[a-z]+)+", path.read_text(encoding="utf-8"))
    }


def quoted(text: str) -> set[str]:
    """What stands in backquotes, outside of blocks of code, and has the form of a code."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return {name for name in re.findall(r"`([^`]+)`", text) if _SNAKE.fullmatch(name)}
