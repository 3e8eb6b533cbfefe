"""The protocol is pure: no clock, no chance, no files, no network, and its layers look downward only."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "protocol").rglob("*.py"))

ALLOWED = {
    "coincurve",
    "collections",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "decimal",
    "enum",
    "eth_hash.auto",
    "fractions",
    "functools",
    "gmpy2",
    "hashlib",
    "hmac",
    "io",
    "itertools",
    "math",
    "msgpack",
    "nacl.bindings",
    "nacl.exceptions",
    "numpy",
    "numpy.typing",
    "phe",
    "pydantic",
    "pydantic_core",
    "re",
    "rfc8785",
    "typing",
}
FROM_IO = {"BytesIO", "StringIO"}
FORBIDDEN_CALLS = {"open", "exec", "eval", "compile", "__import__", "input", "print", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    "random": "numpy's generators hold state and seed themselves from the system",
    "urandom": "chance comes in through the context",
    "getenv": "settings come in as values",
    "environ": "settings come in as values",
    "fromfile": "files belong to the services",
    "tofile": "files belong to the services",
    "loadtxt": "files belong to the services",
    "savetxt": "files belong to the services",
    "memmap": "files belong to the services",
}
LAYERS = {
    "protocol/crypto": ("protocol.learning", "protocol.roles"),
    "protocol/learning": ("protocol.roles",),
}
VALUES = "the modules directly in protocol/ know no roles"


FOLDERS = sorted({path.parent for path in MODULES})


def modules_in(folder: Path) -> list[Path]:
    """The folder's own."""
    return [path for path in MODULES if path.parent == folder]


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Everything in the file."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of everything imported anywhere in the file, also inside functions."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points"
            yield from ((node.module or "", alias.name) for alias in node.names)


def names(path: Path) -> list[str]:
    return [module for module, _ in imports(path)]


def title(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_modules_are_found() -> None:
    assert {"protocol/codec.py", "protocol/crypto/paillier.py", "protocol/roles/owner/role.py"} <= {
        title(path) for path in MODULES
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=title)
def test_only_pure_modules_are_imported(folder: Path) -> None:
    for path in modules_in(folder):
        foreign = [name for name in names(path) if name != "protocol" and not name.startswith("protocol.")]
        assert set(foreign) <= ALLOWED, path
        assert {name for module, name in imports(path) if module == "io"} <= FROM_IO, path


@pytest.mark.parametrize("folder", FOLDERS, ids=title)
def test_nothing_reaches_out(folder: Path) -> None:
    for path in modules_in(folder):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in FORBIDDEN_CALLS, f"{path}:{node.lineno}: {node.func.id}()"
            if isinstance(node, ast.Attribute):
                assert node.attr not in FORBIDDEN_ATTRIBUTES, f"{path}:{node.lineno}: .{node.attr}"
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global), f"{path}: {node}"


@pytest.mark.parametrize("folder", FOLDERS, ids=title)
def test_layers_look_downward_only(folder: Path) -> None:
    forbidden = LAYERS.get(title(folder), ())
    for path in modules_in(folder):
        for above in forbidden:
            assert not [name for name in names(path) if name == above or name.startswith(above + ".")], path
        if title(folder) == "protocol":
            assert not [name for name in names(path) if name.startswith("protocol.roles")], VALUES


def test_key_generation_is_the_one_use_of_the_system_s_chance() -> None:
    # phe draws the primes itself; everything else gets its chance from the context.
    users = [title(path) for path in MODULES if "phe" in names(path)]
    assert users == ["protocol/crypto/paillier.py"]


@pytest.mark.parametrize("folder", FOLDERS, ids=title)
def test_an_assertion_says_what_a_name_is_and_checks_nothing(folder: Path) -> None:
    """Under `python -O` there are none: what must be refused is refused without them."""
    for path in modules_in(folder):
        for node in nodes_of(path):
            if isinstance(node, ast.Assert):
                assert _is_of_kind(node.test), f"{path}:{node.lineno}: {ast.unparse(node)}"


def _is_of_kind(test: ast.expr) -> bool:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _is_of_kind(test.operand)
    if isinstance(test, ast.Call):
        return ast.unparse(test.func) == "isinstance"
    return isinstance(test, ast.Compare) and ast.unparse(test).endswith(" is not None")
