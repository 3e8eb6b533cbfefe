from dataclasses import dataclass

import typer
from typer.testing import CliRunner

from services.cli.options import options_of


@dataclass(frozen=True)
class Journey:
    """What `travel` is told."""

    place: str
    days: int = 7


def travel(*arguments):
    """What a command with these options gets, and what it prints."""
    app, seen = typer.Typer(), []
    options = {"place": typer.Argument(), "days": typer.Option("--for", min=1)}

    @app.command()
    @options_of(Journey, options)
    def command(journey: Journey, *, loud: bool = False) -> None:
        seen.append((journey, loud))

    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code == 0) == bool(seen), result.output
    return seen, result.output


def test_a_dataclass_is_made_from_its_options():
    assert travel("Rome")[0] == [(Journey("Rome"), False)]
    assert travel("Rome", "--for", "3", "--loud")[0] == [(Journey("Rome", 3), True)]


def test_the_fields_have_types_and_bounds_and_some_are_required():
    for arguments in ((), ("Rome", "--for", "long"), ("Rome", "--for", "0"), ("Rome", "--days", "3")):
        seen, output = travel(*arguments)
        assert seen == []
        assert "Error" in output
