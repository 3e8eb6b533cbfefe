"""The `deltaml` command. Heavy modules are imported by the commands that need them, so that help is quick."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from protocol.errors import DeltaMLError, MisuseError
from services.cli.admin import admin
from services.cli.console import console
from services.cli.daemons import aggregator, chain_listener, data_owner, model_buyer
from services.cli.datasets import datasets
from services.cli.demo import demo
from services.cli.health import health
from services.cli.history import history
from services.cli.keys import keys
from services.cli.orders import accept, decline, stop, train, withdraw
from services.cli.policy import budget, policy
from services.cli.predict import predict
from services.cli.show import show, trainings
from services.common.errors import ConfigurationError, DataSetError

MISUSE, FAILURE = 2, 3
"""Exit status: what was asked cannot be done as asked; or something outside this process failed."""


class ErrorGroup(TyperGroup):
    """Turns our errors into a message on standard error and an exit status; bugs keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DeltaMLError as error:
            _tell([error])
        except ExceptionGroup as group:
            ours, others = group.split(DeltaMLError)
            if others is not None or ours is None:
                raise
            _tell(_leaves(ours))


def _tell(errors: "list[DeltaMLError]") -> None:
    for text in dict.fromkeys(str(error) for error in errors):
        typer.echo(f"error: {text}", err=True)
    misuse = (MisuseError, ConfigurationError, DataSetError)
    raise typer.Exit(MISUSE if all(isinstance(error, misuse) for error in errors) else FAILURE)


def _leaves(group: "ExceptionGroup[DeltaMLError]") -> "list[DeltaMLError]":
    leaves: list[DeltaMLError] = []
    for error in group.exceptions:
        leaves.extend(_leaves(error) if isinstance(error, ExceptionGroup) else [error])
    return leaves


app = typer.Typer(
    name="deltaml",
    cls=ErrorGroup,
    help="A market where a model is trained on data its buyer never sees, by owners who never see the model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables: rows and keys
    add_completion=False,
)


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            typer.echo(f"deltaml {version('deltaml')}")
        except PackageNotFoundError:
            typer.echo("deltaml, run from its sources without being installed")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            callback=lambda wanted: _version(wanted=wanted),
            is_eager=True,
        ),
    ] = False,
) -> None:
    del version


app.command()(demo)
app.command()(predict)
app.command()(show)
app.command()(trainings)
app.command()(history)
app.command()(health)
for order in (train, accept, decline, withdraw, stop, budget):
    app.command()(order)
for daemon in (model_buyer, data_owner, aggregator, chain_listener):
    app.command()(daemon)
app.add_typer(datasets)
app.add_typer(policy)
app.add_typer(keys)
app.add_typer(admin)
app.add_typer(console)


def main() -> None:
    """Run the command line."""
    app(prog_name="deltaml")
