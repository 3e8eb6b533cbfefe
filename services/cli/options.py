"""Options and arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from services.common.files import read_passphrase

Json = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")]
ConfigFile = Annotated[Path, typer.Option(help="The daemon's YAML file; see deploy/config for samples.")]
ChainUrl = Annotated[str, typer.Option("--chain", help="The node's JSON-RPC URL.")]
RowsFile = Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: diabetes.")]
Target = Annotated[str | None, typer.Option(help="Column to predict; default: the last.")]
Seed = Annotated[int, typer.Option(help="Seed for dealing the rows to the owners.", min=0)]


def ask_secret(file: Path | None, question: str, *, confirm: bool = False) -> str:
    """What the file holds; without one, what is answered on the terminal."""
    if file is None:
        return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))
    return read_passphrase(file)
