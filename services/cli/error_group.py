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
    """Turns our errors into a message on standard error and an exit status; bugs keep their traceback.

    Of an option's value that does not fit, the message says what was given beside what it must be.
    """

    @override
    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise _with_value(error) from None
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


def _with_value(error: typer.BadParameter) -> typer.BadParameter:
    """The same error with what was given, where a value is not of its option's type or range."""
    from pydantic import ValidationError  # noqa: PLC0415  not for --help

    from protocol.value_rules import rule_of  # noqa: PLC0415  not for --help

    if isinstance(error.__cause__, ValidationError):
        wrong = error.__cause__.errors(include_url=False)[0]
        error.message = f"{rule_of(wrong)} (given: {str(wrong['input'])[:60]!r})"
    return error


def _leaves(group: ExceptionGroup[DeltaMLError]) -> Iterator[DeltaMLError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
