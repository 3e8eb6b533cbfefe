"""`deltaml admin dead-letters`: what daemons and broker refused, and what becomes of it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from services.bus.broker.dead_letter_queue import Chosen, DeadQueue, Letter, opened
from services.bus.broker.provisioning import load_plan
from services.cli.options import Json
from services.cli.output import print_fields, print_json, print_line, print_table
from services.common.errors import ConfigurationError

T = TypeVar("T")

KEPT = 1
"""Exit status of `requeue` when a letter that was chosen could not be sent."""

dead_letters = typer.Typer(
    name="dead-letters", help="Messages that were refused, with the reason.", no_args_is_help=True
)

_File = Annotated[
    Path, typer.Argument(metavar="FILE.yaml", help="The document of `deltaml admin broker`, with amqp.")
]
_Messages = Annotated[
    list[str] | None, typer.Argument(metavar="[MESSAGE]...", help="Message ids as `list` shows them.")
]
_Code = Annotated[str | None, typer.Option(help="Only letters with this code, or of this reason.")]
_All = Annotated[bool, typer.Option("--all", help="Every letter.")]
_COLUMNS = ("type", "training", "reason", "code", "sender")


@dead_letters.command("list")
def list_letters(file: _File, code: _Code = None, json: Json = False) -> None:
    """List the dead letters, oldest first; all stay."""
    letters = [asdict(letter) for letter in _letters(file, _chosen((), code))]
    if json:
        print_json(letters)
        return
    rows = [[letter[name] for name in ("message_id", *_COLUMNS)] for letter in letters]
    print_table(("message", *_COLUMNS), rows)


@dead_letters.command()
def show(
    file: _File, message: Annotated[str, typer.Argument(help="A message id.")], json: Json = False
) -> None:
    """Show everything about one message's letters, but for the body, which is sealed."""
    letters = _letters(file, _chosen([message], None))
    if not letters:
        raise ConfigurationError(
            f"no dead letter of message {message!r}; `deltaml admin dead-letters list` lists them"
        )
    if json:
        print_json([asdict(letter) | {"obstacle": letter.obstacle()} for letter in letters])
        return
    for letter in letters:
        print_fields(asdict(letter) | {"can be sent": letter.obstacle() or "yes"})
        print_line("")


@dead_letters.command()
def requeue(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Send refused messages to their recipients once more, after what stopped them has been fixed.

    The exit status is 1 if any of those chosen had to stay.
    """
    chosen = _required(messages, code, everything=everything)
    sent, kept = _with_queue(file, lambda queue: queue.requeue(chosen))
    stayed = [(letter.message_id, letter.code, why) for letter, why in kept]
    if json:
        fields = ("message_id", "code", "why")
        print_json({"sent": _ids(sent), "kept": [dict(zip(fields, row, strict=True)) for row in stayed]})
    else:
        print_line(f"sent once more: {len(sent)}")
        for message_id, why_refused, why_kept in stayed:
            print_line(f"kept {message_id} ({why_refused}): {why_kept}")
    if kept:
        raise typer.Exit(KEPT)


@dead_letters.command()
def purge(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Throw dead letters away."""
    chosen = _required(messages, code, everything=everything)
    purged = _with_queue(file, lambda queue: queue.purge(chosen))
    if json:
        print_json({"purged": _ids(purged)})
    else:
        print_line(f"thrown away: {len(purged)}")


def _ids(letters: Sequence[Letter]) -> list[str]:
    return [letter.message_id for letter in letters]


def _letters(file: Path, chosen: Chosen) -> list[Letter]:
    return _with_queue(file, lambda queue: queue.letters(chosen))


def _with_queue(file: Path, work: Callable[[DeadQueue], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with opened(load_plan(file)) as queue:
            return await work(queue)

    return asyncio.run(run())


def _chosen(messages: Sequence[str], code: str | None) -> Chosen:
    def chosen(letter: Letter) -> bool:
        return (not messages or letter.message_id in messages) and (
            code is None or code in (letter.code, letter.reason)
        )

    return chosen


def _required(messages: Sequence[str] | None, code: str | None, *, everything: bool) -> Chosen:
    """Only saying so means all of them."""
    if everything == bool(messages or code):
        raise ConfigurationError("say which letters: message ids, --code, both, or --all alone")
    return _chosen(messages or (), code)
