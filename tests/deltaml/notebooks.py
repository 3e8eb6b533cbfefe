"""The notebooks, run as Jupyter does but without a kernel: all cells in one namespace, in a loop that runs.

`python -m tests.deltaml.notebooks` runs them and stores what they print.
"""

import ast
import asyncio
import inspect
import io
import os
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_output

from protocol.marketplace import Credited
from protocol.messages.examples import any_card, any_request
from tests.deltaml.participant_files import participant, told
from tests.support.console.trainings import finished_training, tell

FOLDER = Path(__file__).parents[2] / "deltaml" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LATER = 4_000_000_000
"""An answer of then is never too old."""
TOWNS = ("north", "south", "west", "east")
CARDS = {
    f"0x{number:040x}": any_card().model_copy(update={"name": name})
    for number, name in enumerate(TOWNS, start=1)
}
"""The last one lacks a column of `any_request`."""
CARDS[f"0x{4:040x}"] = CARDS[f"0x{4:040x}"].model_copy(update={"columns": any_card().columns[:2]})
EXPRESSION = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def participants(folder: Path) -> None:
    """The configurations that the notebooks name, the stores of their daemons beside them."""
    _config, _address, store = participant(folder, "model-buyer")
    finished_training(store)
    told(store, CARDS, LATER)
    store.close()
    request = any_request().model_dump(mode="json")
    (folder / "request.yaml").write_text(yaml.safe_dump(request, sort_keys=False))
    _config, address, store = participant(folder, "data-owner")
    for share, amount in (("participation", 10**16), ("contribution", 3 * 10**17)):
        tell(store, 1, Credited(training=1, account=address, share=share, amount=amount))
    store.close()


async def execute(notebook: NotebookNode) -> None:
    """Run every cell and keep its outputs in it; raises what a cell raises."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(cells, start=1):
        printed = io.StringIO()
        with redirect_stdout(printed):
            value = await _value_of(cell.source, namespace)
        cell.execution_count = count
        cell.outputs = [new_output("stream", text=printed.getvalue())] if printed.getvalue() else []
        if value is not None:
            data = {"text/plain": repr(value)}
            cell.outputs.append(new_output("execute_result", data=data, execution_count=count))


async def _value_of(source: str, namespace: dict[str, Any]) -> Any:
    """Of the last line, if it is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    await _run(compile(tree, "<cell>", "exec", flags=EXPRESSION), namespace)
    if last is None:
        return None
    return await _run(compile(ast.Expression(last.value), "<cell>", "eval", flags=EXPRESSION), namespace)


async def _run(code: Any, namespace: dict[str, Any]) -> Any:
    value = eval(code, namespace)
    return await value if code.co_flags & inspect.CO_COROUTINE else value


def main() -> None:
    for name in NOTEBOOKS:
        notebook = nbformat.read(FOLDER / name, as_version=4)
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            os.umask(0o077)
            participants(Path(folder))
            asyncio.run(execute(notebook))
        nbformat.write(notebook, FOLDER / name)


if __name__ == "__main__":
    main()
