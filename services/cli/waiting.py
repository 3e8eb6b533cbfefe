"""What a command waits for, shown while it waits: on a terminal alone, and gone when it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from services.cli.standard_streams import writable


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
