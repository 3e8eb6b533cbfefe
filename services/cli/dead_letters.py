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
from services.cli.output import print_fields, print_json, print_records, print_result
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
_COLUMNS = {"message_id": "message"} | {
    name: name for name in ("type", "training", "reason", "code", "sender")
}


@dead_letters.command("list")
def list_letters(file: _File, code: _Code = None, json: Json = False) -> None:
    """List the dead letters, oldest first; all stay."""
    letters = [asdict(letter) for letter in _on_queue(file, DeadQueue.letters, _chosen((), code))]
    nothing = "no dead letter: one comes here when daemon or broker refuses a message"
    print_records(letters, _COLUMNS, json=json, empty=nothing)


@dead_letters.command()
def show(
    file: _File,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="A message id.")],
    json: Json = False,
) -> None:
    """Show everything about one message's letters, but for the body, which is sealed."""
    letters = _on_queue(file, DeadQueue.letters, _chosen([message], None))
    if not letters:
        raise ConfigurationError(
            f"no dead letter of message {message!r}; `deltaml admin dead-letters list` lists them"
        )
    if json:
        print_json([asdict(letter) | {"obstacle": letter.obstacle()} for letter in letters])
        return
    for letter in letters:
        print_fields(asdict(letter) | {"can be sent": letter.obstacle() or "yes"})
        typer.echo("")


@dead_letters.command()
def requeue(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Send refused messages to their recipients once more, after what stopped them has been fixed.

    The exit status is 1 if any of those chosen had to stay.
    """
    chosen = _required(messages, code, everything=everything)
    sent, kept = _on_queue(file, DeadQueue.requeue, chosen)
    stayed = [{"message_id": letter.message_id, "code": letter.code, "why": why} for letter, why in kept]
    lines = [f"sent once more: {len(sent)}", *map("kept {message_id} ({code}): {why}".format_map, stayed)]
    print_result({"sent": _ids(sent), "kept": stayed}, "\n".join(lines), json=json)
    if kept:
        raise typer.Exit(KEPT)


@dead_letters.command()
def purge(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Throw dead letters away."""
    chosen = _required(messages, code, everything=everything)
    purged = _on_queue(file, DeadQueue.purge, chosen)
    print_result({"purged": _ids(purged)}, f"thrown away: {len(purged)}", json=json)


def _ids(letters: Sequence[Letter]) -> list[str]:
    return [letter.message_id for letter in letters]


def _on_queue(file: Path, method: Callable[[DeadQueue, Chosen], Coroutine[Any, Any, T]], chosen: Chosen) -> T:
    async def run() -> T:
        async with opened(load_plan(file)) as queue:
            return await method(queue, chosen)

    return asyncio.run(run())


def _chosen(messages: Sequence[str], code: str | None) -> Chosen:
    return lambda letter: (
        (not messages or letter.message_id in messages)
        and (code is None or code in (letter.code, letter.reason))
    )


def _required(messages: Sequence[str] | None, code: str | None, *, everything: bool) -> Chosen:
    """Only saying so means all of them."""
    if everything == bool(messages or code):
        raise ConfigurationError("say which letters: message ids, --code, both, or --all alone")
    return _chosen(messages or (), code)
