"""The notebooks run as they are stored: part of `make campaigns`."""

import nbformat
import pytest

from tests.deltaml.notebooks import FOLDER, NOTEBOOKS, execute
from tests.deltaml.test_examples import folder

__all__ = ["folder"]


@pytest.mark.parametrize("name", NOTEBOOKS)
async def test_notebooks_run(folder, name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    stored = [[output.output_type for output in cell.outputs] for cell in cells]
    await execute(notebook)
    assert [[output.output_type for output in cell.outputs] for cell in cells] == stored
    assert NOTEBOOKS == ["buyer.ipynb", "owner.ipynb"]
