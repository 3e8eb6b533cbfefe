"""Options and arguments that several commands take."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from protocol.errors import MisuseError
from protocol.request_kinds import DEMANDS
from protocol.request_schedule import Method
from services.common.files import read_passphrase
from services.common.near_words import choice_text

Json = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")]
ConfigFile = Annotated[Path, typer.Option(help="The daemon's YAML file; see deploy/config for samples.")]
ChainUrl = Annotated[str, typer.Option("--chain", help="The node's JSON-RPC URL.")]
ROWS_FILE = "CSV file (UTF-8, commas, a header) or Parquet file"
TARGETS_HELP = "Of several_targets: the columns to predict, a,b,c, in the place of --target."
LEVEL_HELP = "Of a column of texts to predict: the level that counts as 1, all others as 0."
INFERENCE_HELP = "Ask for standard errors of the weights as well; needs seven owners or more."
ROWS = {
    "data": typer.Option(help=f"{ROWS_FILE}; default: the diabetes data."),
    "target": typer.Option(help="Column to predict; default: the last."),
    "targets": typer.Option(help=TARGETS_HELP),
    "level": typer.Option(help=LEVEL_HELP),
    "inference": typer.Option("--inference", help=INFERENCE_HELP),
    "columns": typer.Option(help="Take these columns only: a,b,c; all by default."),
    "event": typer.Option(help="Of times until an event: the column that is 1 where it came."),
    "seed": typer.Option(help="Seed for dealing the rows to the owners.", min=0),
}


RIDGE = typer.Option(help="Ridge's λ; of several, as 1,0.1,0.01, the validators' error chooses.")
KIND_HELP = f"Kind of model: {', '.join(DEMANDS)}."


def known_word(option: str, text: str, known: Sequence[str]) -> str:
    """A word that an option takes; raises MisuseError, with what was probably meant, for another."""
    if text not in known:
        raise MisuseError(f"{option} {text!r} is unknown; {choice_text(text, known)}")
    return text


def known_kind(text: str) -> str:
    """The name of a kind of model; raises MisuseError, with what was probably meant, for another."""
    return known_word("--kind", text, tuple(DEMANDS))


METHOD_HELP = "How a round makes one model: averaging, the default, or admm, for unlike owners."
RHO_HELP = "ρ of ADMM: less follows each owner's own rows more; default: 0.01."


def method_of(text: str | None) -> Method | None:
    """The method that an option names; raises MisuseError, with what was probably meant, for another."""
    known = {one: one for one in get_args(Method)}
    return None if text is None else known[known_word("--method", text, tuple(known))]


KIND = typer.Option(parser=str, callback=known_kind, metavar="<str>", help=KIND_HELP)
"""The kind of model of a command that deals rows: its errors say more than a refusal by type."""


def options_of(
    record: type[Any], declared: dict[str, Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Have a command's first argument, a dataclass, made from options: `declared` by its fields' names.

    Types and defaults are those of the fields.
    """
    types, fields = get_type_hints(record), signature(record).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**values: Any) -> None:
            command(record(**{name: values.pop(name) for name in declared}), **values)

        own = signature(command)
        taken = [
            fields[name].replace(kind=Parameter.KEYWORD_ONLY, annotation=Annotated[types[name], option])
            for name, option in declared.items()
        ]
        others = [item.replace(kind=Parameter.KEYWORD_ONLY) for item in list(own.parameters.values())[1:]]
        run.__signature__ = own.replace(parameters=[*taken, *others])  # type: ignore[attr-defined]
        return run

    return decorate


def ask_secret(file: Path | None, question: str, *, confirm: bool = False) -> str:
    """What the file holds; without one, what is answered on the terminal."""
    if file is None:
        return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))
    return read_passphrase(file)
