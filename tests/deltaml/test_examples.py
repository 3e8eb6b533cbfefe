"""What the documents show can be run as it stands."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import deltaml
from services.data.model_file import write_model
from tests.deltaml.bought import rents
from tests.deltaml.notebooks import participants

PACKAGE = Path(deltaml.__file__).parent
MODULES = sorted(f"deltaml.{path.stem}" for path in PACKAGE.glob("[a-z]*.py"))
EXAMPLES = {
    "deltaml.classes",
    "deltaml.classifier",
    "deltaml.regressor",
    "deltaml.several",
    "deltaml.simulation",
    "deltaml.participants",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a reader of the documents would be."""
    monkeypatch.chdir(tmp_path)
    participants(tmp_path)
    return tmp_path


def test_examples_in_docstrings(folder):
    found = {name: doctest.testmod(import_module(name)) for name in MODULES}
    assert sum(result.failed for result in found.values()) == 0
    assert {name for name, result in found.items() if result.attempted} == EXAMPLES


def test_examples_in_the_readme(folder, capsys):
    write_model(folder / "model.json", rents())
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    namespace = {}
    for block in blocks:
        exec(block, namespace)
    assert len(blocks) == 4
    offered = ["3 of 4 owners, 4 needed", "north", "south", "west", "east no column 'progression'"]
    assert capsys.readouterr().out.splitlines() == [*offered, "[1050.0, 550.0]", "[-50. -50.]"]
