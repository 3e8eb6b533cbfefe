"""What a command waits for, shown while it waits: on a terminal alone, and gone when it goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from services.cli.standard_streams import visible, writable

INTERRUPTED = 130


@contextmanager
def waiting(text: str, console: Console | None = None) -> Iterator[None]:
    """Shows `text` on the terminal of standard error; files, pipes and programs see nothing of it.

    Nothing is to be printed meanwhile: the display would take it to standard error.
    """
    shown = Console(stderr=True) if console is None else console
    if not shown.is_terminal:
        yield
        return
    with shown.status(writable(text)):
        yield


@contextmanager
def going_on(text: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C ends the waiting, and not what is waited for: `text` says what becomes of that.

    Raises typer.Exit then, with the status of an interrupted command.
    """
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(visible(text()), err=True)
        raise typer.Exit(INTERRUPTED) from None
