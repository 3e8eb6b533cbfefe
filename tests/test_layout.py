"""The floor plan: sizes that keep files readable, and tests where their source is."""

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 350
LONGEST_FUNCTION = 50


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def lines_of(path):
    return path.read_text(encoding="utf-8").count("\n")


def functions(folder):
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.relative_to(ROOT)}:{node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("folder", ["deltaml", "protocol", "services"])
def test_no_file_is_too_long_to_be_read_at_once(folder):
    lengths = {str(path.relative_to(ROOT)): lines_of(path) for path in sources(folder)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
    assert median(lengths.values()) < 150


@pytest.mark.parametrize("folder", ["deltaml", "protocol", "services"])
def test_functions_do_one_thing(folder):
    lengths = dict(functions(folder))
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert median(lengths.values()) < 10


def test_nothing_lies_flat_in_services():
    assert [path.name for path in (ROOT / "services").glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("folder", ["deltaml", "protocol", "services"])
def test_tests_lie_where_their_source_lies(folder):
    for path in (ROOT / "tests" / folder).rglob("test_*.py"):
        place = path.parent.relative_to(ROOT / "tests")
        assert (ROOT / place).is_dir(), f"{path} tests no package: {place} does not exist"
