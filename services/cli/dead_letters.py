"""`deltaml admin dead-letters`: what daemons and broker refused, and what becomes of it."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from services.bus.broker.dead_letter_queue import Chosen, DeadQueue, Kept, Letter

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


@dead_letters.command("list")
def list_letters(file: _File, code: _Code = None, json: Json = False) -> None:
    """List the dead letters, oldest first; all stay."""
    chosen = _chosen(None, code)
    found = _with_queue(file, lambda queue: queue.letters(chosen))
    if json:
        print_json([asdict(letter) for letter in found])
        return
    rows = [(one.message_id, one.type, one.training, one.reason, one.code, one.sender) for one in found]
    print_table(("message", "type", "training", "reason", "code", "sender"), rows)


@dead_letters.command()
def show(
    file: _File, message: Annotated[str, typer.Argument(help="A message id.")], json: Json = False
) -> None:
    """Show everything about one message's letters, but for the body, which is sealed."""
    found = _with_queue(file, lambda queue: queue.letters(_chosen([message], None)))
    if not found:
        from services.common.errors import ConfigurationError  # noqa: PLC0415

        raise ConfigurationError(
            f"no dead letter of message {message!r}; `deltaml admin dead-letters list` lists them"
        )
    if json:
        print_json([asdict(letter) | {"obstacle": letter.obstacle()} for letter in found])
        return
    for letter in found:
        for name, value in asdict(letter).items():
            print_line(f"{name.replace('_', ' '):<14}{value}")
        print_line(f"{'can be sent':<14}{letter.obstacle() or 'yes'}\n")


@dead_letters.command()
def requeue(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Send refused messages to their recipients once more, when what stopped them is mended.

    The exit status is 1 if any of those chosen had to stay.
    """
    chosen = _required(messages, code, everything=everything)
    sent, kept = _with_queue(file, lambda queue: queue.requeue(chosen))
    if json:
        print_json({"sent": [one.message_id for one in sent], "kept": [_kept(one) for one in kept]})
    else:
        print_line(f"sent once more: {len(sent)}")
        for one in kept:
            print_line(f"kept {one.letter.message_id} ({one.letter.code}): {one.why}")
    if kept:
        raise typer.Exit(KEPT)


@dead_letters.command()
def purge(
    file: _File, messages: _Messages = None, code: _Code = None, everything: _All = False, json: Json = False
) -> None:
    """Throw dead letters away."""
    chosen = _required(messages, code, everything=everything)
    gone = _with_queue(file, lambda queue: queue.purge(chosen))
    if json:
        print_json({"purged": [one.message_id for one in gone]})
    else:
        print_line(f"thrown away: {len(gone)}")


def _with_queue(file: Path, work: "Callable[[DeadQueue], Coroutine[Any, Any, T]]") -> T:
    import asyncio  # noqa: PLC0415

    from services.bus.broker.dead_letter_queue import opened  # noqa: PLC0415
    from services.bus.broker.provisioning import load_plan  # noqa: PLC0415

    async def run() -> T:
        async with opened(load_plan(file)) as queue:
            return await work(queue)

    return asyncio.run(run())


def _chosen(messages: Sequence[str] | None, code: str | None) -> "Chosen":
    def chosen(letter: "Letter") -> bool:
        return (not messages or letter.message_id in messages) and (
            code is None or code in (letter.code, letter.reason)
        )

    return chosen


def _required(messages: Sequence[str] | None, code: str | None, *, everything: bool) -> "Chosen":
    """Nothing is taken for "all of them" but saying so."""
    if everything == bool(messages or code):
        from services.common.errors import ConfigurationError  # noqa: PLC0415

        raise ConfigurationError("say which letters: message ids, --code, both, or --all alone")
    return _chosen(messages, code)


def _kept(one: "Kept") -> dict[str, str]:
    return {"message_id": one.letter.message_id, "code": one.letter.code, "why": one.why}
