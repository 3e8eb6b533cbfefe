"""Our errors as a line on standard error and an exit status."""

from collections.abc import Iterator, Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from protocol.errors import DeltaMLError, MisuseError
from services.cli.standard_streams import FAILURE, visible
from services.common.errors import ConfigurationError, DataSetError

MISUSE = 2
"""Exit status when what was asked cannot be done as asked."""


class ErrorGroup(TyperGroup):
    """Turns our errors into a message on standard error and an exit status; bugs keep their traceback."""

    @override
    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DeltaMLError as error:
            _exit([error])
        except ExceptionGroup as group:
            ours, others = group.split(DeltaMLError)
            if others is not None or ours is None:
                raise
            _exit(list(_leaves(ours)))


def _exit(errors: Sequence[DeltaMLError]) -> None:
    for text in dict.fromkeys(str(error) for error in errors):
        typer.echo(f"error: {visible(text)}", err=True)
    misuse = (MisuseError, ConfigurationError, DataSetError)
    raise typer.Exit(MISUSE if all(isinstance(error, misuse) for error in errors) else FAILURE)


def _leaves(group: ExceptionGroup[DeltaMLError]) -> Iterator[DeltaMLError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
